"""Company lists as people really save them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit_signals.domain import Company, Rejection, content_id
from credit_signals.errors import CompanyListError
from credit_signals.intake import read_companies


def read(tmp_path: Path, data: bytes | str) -> tuple[list[Company], list[Rejection]]:
    """Read a list with these bytes."""
    path = tmp_path / "list.csv"
    path.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
    return read_companies(path)


def test_a_full_line_becomes_a_company(tmp_path: Path) -> None:
    """All roles are found by their names and further columns are kept as strings."""
    companies, rejected = read(
        tmp_path, "Company ID,Company,Website,Country,Segment\n7,Acme Ltd,https://www.acme.example/en,gb,SME\n"
    )
    assert rejected == []
    assert companies == [
        Company(
            id="7",
            name="Acme Ltd",
            domain="acme.example",
            url="https://www.acme.example/en",
            country="GB",
            extra={"Segment": "SME"},
        )
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_delimiters_are_found(tmp_path: Path, encoding: str, delimiter: str, newline: str) -> None:
    """Whatever program saved the list, names and domains arrive whole."""
    lines = [["name", "domain"], ["Möbel Süß & Söhne", "moebel.example"], ["Crème, \u0153uf; SARL", "creme.example"]]
    text = newline.join(delimiter.join(f'"{field}"' for field in line) for line in lines)
    companies, rejected = read(tmp_path, text.encode(encoding))
    assert [company.name for company in companies] == ["Möbel Süß & Söhne", "Crème, \u0153uf; SARL"]
    assert rejected == []


def test_a_column_of_domains_needs_no_header(tmp_path: Path) -> None:
    """A file that holds nothing but domains is a list; id and name follow from the domain."""
    companies, rejected = read(tmp_path, "acme.example\nbolt.example\n\nnot a domain\n")
    assert [(company.id, company.name) for company in companies] == [
        (content_id(domain), domain) for domain in ("acme.example", "bolt.example")
    ]
    assert rejected == [Rejection(line=4, reason="address holds spaces, backslashes or control characters")]


def test_bad_lines_are_rejected_with_their_number(tmp_path: Path) -> None:
    """Each bad line is named by its line in the file and the good ones go on."""
    companies, rejected = read(
        tmp_path,
        "id,name,domain\n1,Acme,acme.example\n2,None,\n3,Script,javascript:alert(1)\n4,Too,many.example,fields\n5,few\n"
        "1,Same id,other.example\n6,Secret,https://user:hunter2@secret.example/\n7,Last,last.example\n",
    )
    assert [company.domain for company in companies] == ["acme.example", "last.example"]
    assert [(item.line, item.reason) for item in rejected] == [
        (3, "no domain"),
        (4, "address is neither http nor https"),
        (5, "4 fields where the header has 3"),
        (6, "2 fields where the header has 3"),
        (7, "id already used in line 2 for another domain"),
        (8, "address holds a user name or password"),
    ]


def test_duplicated_domains_merge(tmp_path: Path) -> None:
    """The first line wins, later ones fill its gaps, and each merged line is noted."""
    companies, rejected = read(
        tmp_path,
        "domain,name,country,segment,owner\nacme.example,,,retail,\nhttp://www.ACME.example/x,Acme,DE,other,Ann\n",
    )
    assert [(item.name, item.country, item.extra) for item in companies] == [
        ("Acme", "DE", {"segment": "retail", "owner": "Ann"})
    ]
    assert rejected == [Rejection(line=3, reason="duplicate of line 2")]


def test_a_quote_that_is_never_closed_costs_one_line(tmp_path: Path) -> None:
    """Quoted fields may hold line breaks; an open quote does not swallow the rest of the list."""
    good = "".join(f"Company {n},site{n}.example\n" for n in range(100))
    companies, rejected = read(tmp_path, 'name,domain\n"Two\nlines",two.example\n"Open,open.example\n' + good)
    assert len(companies) == 101
    assert companies[0].name == "Two lines"
    assert rejected == [Rejection(line=4, reason="quote that is never closed")]


def test_damaged_lines_in_utf8(tmp_path: Path) -> None:
    """A few undecodable lines in a UTF-8 list are rejected instead of turning the others into mojibake."""
    data = "name,domain\nMöbel,a.example\nCafé,b.example\n".encode() + b"Gr\xfcn,c.example\nPlain,d.example\x00\n"
    companies, rejected = read(tmp_path, data)
    assert [company.name for company in companies] == ["Möbel", "Café"]
    assert rejected == [Rejection(line=4, reason="undecodable bytes"), Rejection(line=5, reason="control characters")]


def test_domain_and_url_must_agree(tmp_path: Path) -> None:
    """With both columns the URL is where the crawl starts and the domain names the company."""
    companies, rejected = read(
        tmp_path, "domain,url\nacme.example,https://shop.acme.example/en\nacme2.example,https://evil.example/\n"
    )
    assert [(company.domain, company.url) for company in companies] == [
        ("acme.example", "https://shop.acme.example/en")
    ]
    assert rejected == [Rejection(line=3, reason="domain and URL name different sites")]


def test_a_very_long_line_is_refused_without_being_held(tmp_path: Path) -> None:
    """A line of megabytes is rejected and the next one is read."""
    companies, rejected = read(tmp_path, "domain\n" + "x" * 3_000_000 + "\nacme.example\n")
    assert [company.domain for company in companies] == ["acme.example"]
    assert rejected == [Rejection(line=2, reason="line longer than 65536 characters")]


def test_a_spreadsheets_note_and_trailing_delimiters(tmp_path: Path) -> None:
    """`sep=;` and empty columns at the end, as spreadsheets write them, are no data."""
    companies, rejected = read(tmp_path, "sep=;\nname;website\nAcme;acme.example;;\n;;\n")
    assert [company.domain for company in companies] == ["acme.example"]
    assert rejected == []


def test_parquet(tmp_path: Path) -> None:
    """Parquet lists of any column type are read by content, whatever the file is called."""
    path = tmp_path / "list.data"
    pq.write_table(
        pa.table({"id": [1, 2, 3], "url": ["https://acme.example/", None, "b.example"], "staff": [12.5, 1.0, None]}),
        path,
    )
    companies, rejected = read_companies(path)
    assert [(item.id, item.domain, item.extra) for item in companies] == [
        ("1", "acme.example", {"staff": "12.5"}),
        ("3", "b.example", {"staff": ""}),
    ]
    assert rejected == [Rejection(line=2, reason="no domain")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n  \n",
        b"name,country\nAcme,DE\n",
        b"domain\n",
        bytes(range(256)) * 20,
        b"PAR1 this is no Parquet file PAR1",
        b"PK\x03\x04 a spreadsheet",
        b"\x1f\x8b\x08 compressed",
        b"\xff\xfe",
        b"\xff\xfea",
    ],
)
def test_a_list_that_is_unusable_as_a_whole(tmp_path: Path, data: bytes) -> None:
    """Empty, binary and headerless files raise the one error that callers know."""
    with pytest.raises(CompanyListError, match=r"list\.csv"):
        read(tmp_path, data)


def test_only_parquet_needs_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyarrow is left out, as in the worker's image, CSV is read and Parquet refused with the reason."""
    monkeypatch.setitem(sys.modules, "credit_signals.intake.parquet_table", None)
    (tmp_path / "list.csv").write_text("domain\nexample.com\n")
    assert len(read_companies(tmp_path / "list.csv")[0]) == 1
    pq.write_table(pa.table({"domain": ["example.com"]}), tmp_path / "list.parquet")
    with pytest.raises(CompanyListError, match="pyarrow"):
        read_companies(tmp_path / "list.parquet")


def test_a_path_that_is_no_file(tmp_path: Path) -> None:
    """A missing file and a folder are unusable lists."""
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(CompanyListError, match=path.name):
            read_companies(path)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=200)
@given(
    st.sampled_from([b"", b"domain\n", b"\xff\xfe", b"\xef\xbb\xbfname;url\n", b"PAR1", b'id,domain\n"']),
    st.binary(max_size=200) | st.text(alphabet=',;"\n\r\tab.c:/@\x00é', max_size=200).map(str.encode),
)
def test_no_bytes_raise_anything_else(start: bytes, rest: bytes) -> None:
    """Whatever the file holds, the answer is companies and rejections or CompanyListError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list"
        path.write_bytes(start + rest)
        try:
            companies, rejected = read_companies(path)
        except CompanyListError:
            return
    assert len({company.domain for company in companies}) == len(companies)
    assert all(item.line >= 1 and item.reason for item in rejected)
