"""Fetching a company's site: robots, frontier, budgets, address checks, WARC archive."""
