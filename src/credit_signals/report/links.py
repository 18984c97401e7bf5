"""Addresses that a report may point at."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from credit_signals.domain import Company


def page_name(company: Company) -> str:
    """The file name of a company's page."""
    return re.sub(r"[^a-z0-9.-]", "_", company.domain) + ".html"


def index_name(number: int) -> str:
    """The file name of a page of a run's index, from 1."""
    return "index.html" if number == 1 else f"index-{number}.html"


def safe_href(url: str) -> str:
    """The address if it is http or https and nothing a browser could read as something else; otherwise empty."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    plain = url.isprintable() and not any(character in url for character in " \\<>\"'`")
    return url if plain and parts.scheme in {"http", "https"} and parts.netloc and "@" not in parts.netloc else ""
