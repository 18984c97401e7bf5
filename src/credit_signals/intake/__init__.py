"""Company lists: CSV and Parquet, bad lines rejected with their number."""
