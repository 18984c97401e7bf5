"""Measures readers on sentences and descriptions that they have never seen, and writes the report."""
