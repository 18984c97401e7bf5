"""When a text was published: what a page states, never a guess."""

from credit_signals.sections.dates.dating import date_blocks

__all__ = ["date_blocks"]
