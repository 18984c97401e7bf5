"""Facts that a site states in words or in JSON-LD, found without a model."""

from credit_signals.sections.facts.finding import find_site_facts

__all__ = ["find_site_facts"]
