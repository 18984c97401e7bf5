"""Fetching a company's site: robots, frontier, budgets, address checks, WARC archive."""

from credit_signals.crawl.archive import ArchivedResponse, WarcArchive
from credit_signals.crawl.faults import site_faults
from credit_signals.crawl.fetcher import Fetcher
from credit_signals.crawl.limits import CrawlMemory, FetchLimits
from credit_signals.crawl.roles import classify_role
from credit_signals.crawl.site import crawl_site
from credit_signals.crawl.urls import canonical_url
from credit_signals.crawl.verdict import judge_site

__all__ = [
    "ArchivedResponse",
    "CrawlMemory",
    "FetchLimits",
    "Fetcher",
    "WarcArchive",
    "canonical_url",
    "classify_role",
    "crawl_site",
    "judge_site",
    "site_faults",
]
