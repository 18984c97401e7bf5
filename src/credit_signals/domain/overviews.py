"""A run seen from above: how many companies stand where, and which of them are wanted."""

from __future__ import annotations

from credit_signals.domain.nouns import Noun
from credit_signals.domain.sites import SiteStatus

NOT_JUDGED = "not judged"  # the band of a company without a gauge


class ReportGroup(Noun):
    """Companies of a run with one band and one status; `lowest` is the least gauge of them, None without one."""

    band: str
    status: SiteStatus
    companies: int
    signals: int  # that stand
    lowest: int | None


class RunOverview(Noun):
    """Counts of a run's scored companies, and of the lines of its list that were refused."""

    groups: tuple[ReportGroup, ...] = ()
    rejected: int = 0

    @property
    def companies(self) -> int:
        """All that were scored."""
        return sum(group.companies for group in self.groups)

    @property
    def signals(self) -> int:
        """All that stand."""
        return sum(group.signals for group in self.groups)


class Wanted(Noun):
    """Which companies of a run: those that all given fields hold for; an empty field holds for each.

    `text` stands in name or domain, in any case; `code` is that of a signal that stands.
    """

    text: str = ""
    band: str = ""
    status: str = ""
    code: str = ""
