"""Company lists: CSV and Parquet, bad lines rejected with their number."""

from credit_signals.intake.companies import read_companies

__all__ = ["read_companies"]
