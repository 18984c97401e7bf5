"""A list of companies: the good lines become companies, each bad one is rejected with its number and reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from credit_signals.domain import Company, Rejection, content_id
from credit_signals.errors import CompanyListError
from credit_signals.intake.address import Address, BadAddressError, parse_address, same_site
from credit_signals.intake.columns import Columns, find_columns
from credit_signals.intake.csv_table import open_csv
from credit_signals.intake.rows import Row, Table

MAX_NAME = 300
MAX_ID = 200
_PARQUET = b"PAR1"
_ALPHA_2 = re.compile(r"^[A-Z]{2}$")
_COUNTRY_ALIASES = {"UK": "GB", "EL": "GR"}


def read_companies(path: Path) -> tuple[list[Company], list[Rejection]]:
    """Read a CSV or Parquet list.

    A column called domain, host, url, website or homepage is needed; id, name and country are taken where they are,
    all other columns are kept in `extra`. A missing id is the hash of the domain, a missing name the domain. Domains
    that come twice are merged: the first line wins, later ones fill its gaps and are noted as rejections. Lines count
    from 1, the header included (Parquet: rows from 1). Raises CompanyListError when the list as a whole is unusable.
    """
    merged = _Merged()
    try:
        table = _open(path)
        columns = find_columns(table.columns)
        for row in table.rows:
            merged.take(row, columns)
    except OSError as exc:
        raise CompanyListError(f"{path}: {exc.strerror or 'cannot be read'}") from exc
    if not merged.companies and not merged.rejections:
        raise CompanyListError(f"{path}: the list holds no companies")
    return list(merged.companies.values()), merged.rejections


def _open(path: Path) -> Table:
    with path.open("rb") as file:
        if file.read(len(_PARQUET)) != _PARQUET:
            return open_csv(path)
    try:
        from credit_signals.intake.parquet_table import open_parquet  # noqa: PLC0415  # the worker image has no pyarrow
    except ImportError as exc:
        raise CompanyListError(f"{path}: a Parquet file needs the package pyarrow; give CSV here") from exc
    return open_parquet(path)


@dataclass(slots=True)
class _Merged:
    companies: dict[str, Company] = field(default_factory=dict)  # by domain
    rejections: list[Rejection] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)  # domain -> line of its first mention
    domains: dict[str, str] = field(default_factory=dict)  # id -> domain

    def take(self, row: Row, columns: Columns) -> None:
        reason = row.problem or self._take_good(row, columns)
        if reason:
            self.rejections.append(Rejection(line=row.line, reason=reason))

    def _take_good(self, row: Row, columns: Columns) -> str:
        try:
            company = company_of(row, columns)
        except BadAddressError as error:
            return str(error)
        known = self.companies.get(company.domain)
        if known is not None:
            self.companies[company.domain] = fill_gaps(known, company)
            return f"duplicate of line {self.lines[company.domain]}"
        if company.id in self.domains:
            return f"id already used in line {self.lines[self.domains[company.id]]} for another domain"
        self.companies[company.domain] = company
        self.lines[company.domain] = row.line
        self.domains[company.id] = company.domain
        return ""


def company_of(row: Row, columns: Columns) -> Company:
    """Make a company of one line. Raises BadAddressError with the reason why the line cannot be one."""

    def value(role: str) -> str:
        place = columns.places.get(role)
        return "" if place is None else " ".join(row.values[place].split())

    address = _address(value("domain"), value("url"))
    name, company_id = value("name"), value("id")
    if len(name) > MAX_NAME:
        raise BadAddressError(f"name longer than {MAX_NAME} characters")
    if len(company_id) > MAX_ID:
        raise BadAddressError(f"id longer than {MAX_ID} characters")
    extra = {name: row.values[place] for place, name in columns.extra()}
    country = value("country").upper()
    if country and not _ALPHA_2.match(country):
        extra.setdefault("country", value("country"))
        country = ""
    return Company(
        id=company_id or content_id(address.domain),
        name=name or address.domain,
        domain=address.domain,
        url=address.url,
        country=_COUNTRY_ALIASES.get(country, country),
        extra=extra,
    )


def fill_gaps(first: Company, later: Company) -> Company:
    """The first mention of a company, what it left empty taken from a later one."""
    extra = dict(first.extra)
    for name, text in later.extra.items():
        if not extra.get(name):
            extra[name] = text
    name = later.name if first.name == first.domain else first.name
    return first.model_copy(update={"name": name, "country": first.country or later.country, "extra": extra})


def _address(domain: str, url: str) -> Address:
    if not url:
        return parse_address(domain)
    start = parse_address(url)
    if not domain:
        return start
    named = parse_address(domain)
    if not same_site(named.domain, start.domain):
        raise BadAddressError("domain and URL name different sites")
    return Address(named.domain, start.url)
