"""The results page over a store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette

from credit_signals.domain import Company, CompanyReport, PageRole, Rejection, Run, Section, Sentence, SiteStatus
from credit_signals.errors import StoreUnavailable
from credit_signals.store import MemoryStore
from credit_signals.store.base import SiteRecord
from credit_signals.web import create_app

AT = datetime(2026, 5, 1, tzinfo=UTC)
ACME = Company(id="acme", name="Acme <b>Ltd</b>", domain="acme.example", url="https://acme.example/")
PORT = Company(id="port", name="Port AG", domain="port.example:8443", url="https://port.example:8443/")


def fill(store: MemoryStore, run_id: str, at: datetime) -> None:
    """A run in which both companies were scored."""
    store.start_run(Run(id=run_id, started_at=at), [ACME, PORT], [Rejection(line=9, reason="no domain")])
    for company in (ACME, PORT):
        text = f"{company.name} makes pumps."
        section = Section.build(
            company_id=company.id,
            url=company.url,
            role=PageRole.HOME,
            text=text,
            sentences=(Sentence(number=1, start=0, end=len(text)),),
        )
        store.save_site(
            SiteRecord(
                run_id=run_id,
                company_id=company.id,
                status=SiteStatus.READ,
                reason="",
                pages=1,
                language="en",
                crawled_at=at,
                sections=(section,),
            )
        )
        store.save_report(CompanyReport(run_id=run_id, company=company, status=SiteStatus.READ, pages=1, sections=1))


@pytest.fixture
def store() -> MemoryStore:
    """A store with two runs."""
    store = MemoryStore()
    fill(store, "run-1", AT)
    fill(store, "run-2", AT + timedelta(days=1))
    return store


@pytest.fixture
def app(store: MemoryStore) -> Starlette:
    """The application over that store."""
    return create_app(store)


async def get(app: Starlette, path: str, method: str = "GET") -> httpx.Response:
    """Ask the application as a browser without scripts does."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://web.example", follow_redirects=True) as client:
        return await client.request(method, path)


async def test_the_latest_run_is_the_front_page(app: Starlette) -> None:
    """The index shows the newest run and its links lead to the companies."""
    page = await get(app, "/")
    assert page.status_code == 200
    assert "run-2" in page.text
    assert "no domain" in page.text
    for link in ("runs/run-2/acme.example.html", "runs/run-2/port.example_8443.html"):
        assert f'href="{link}"' in page.text
        assert (await get(app, "/" + link)).status_code == 200


async def test_earlier_runs_stay_readable(app: Starlette) -> None:
    """Each run has its own index, and links between its pages stay in the run."""
    page = await get(app, "/runs/run-1")
    assert page.url.path == "/runs/run-1/index.html"
    assert 'href="acme.example.html"' in page.text
    company = await get(app, "/runs/run-1/acme.example.html")
    assert "run-1" in company.text
    assert 'href="index.html"' in company.text


async def test_a_company_is_found_by_its_domain(app: Starlette) -> None:
    """A domain leads to the company's page in the latest run, its name escaped."""
    page = await get(app, "/companies/ACME.example")
    assert page.url.path == "/runs/run-2/acme.example.html"
    assert "Acme &lt;b&gt;Ltd&lt;/b&gt;" in page.text
    assert (await get(app, "/companies/port.example:8443")).url.path == "/runs/run-2/port.example_8443.html"


@pytest.mark.parametrize(
    "path",
    [
        "/companies/unknown.example",
        "/runs/no-such-run",
        "/runs/no-such-run/index.html",
        "/runs/run-1/unknown.example.html",
        "/runs/run-1/..%2f..%2fetc%2fpasswd",
        "/runs/run-1/<script>.html",
        "/elsewhere",
    ],
)
async def test_what_is_not_there_is_404(app: Starlette, path: str) -> None:
    """Unknown runs, companies and paths are plain 404s that repeat nothing of the request."""
    answer = await get(app, path)
    assert answer.status_code == 404
    assert "script" not in answer.text


@pytest.mark.parametrize("path", ["/", "/runs/run-1/acme.example.html", "/elsewhere", "/healthz", "/readyz"])
async def test_every_answer_bears_the_security_headers(app: Starlette, path: str) -> None:
    """No scripts, no frames, no sniffing, no referrer; errors included."""
    headers = (await get(app, path)).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_only_reading_is_allowed(app: Starlette) -> None:
    """The page changes nothing."""
    assert (await get(app, "/", "POST")).status_code == 405


async def test_an_empty_store_says_so() -> None:
    """Without a run the front page is a clear 404, and the service is healthy."""
    app = create_app(MemoryStore())
    assert (await get(app, "/")).status_code == 404
    assert "no run yet" in (await get(app, "/")).text
    assert (await get(app, "/healthz")).json() == (await get(app, "/readyz")).json() == {"status": "ok"}


async def test_a_store_that_does_not_answer_is_503() -> None:
    """The error is named in the log only; the page is alive, for a restart would not help, and not ready."""

    class Dead(MemoryStore):
        def latest_run(self) -> Run | None:
            raise StoreUnavailable("postgresql://user:***@db.example: no answer")

    app = create_app(Dead())
    assert (await get(app, "/healthz")).status_code == 200
    for path in ("/", "/readyz"):
        answer = await get(app, path)
        assert answer.status_code == 503
        assert "db.example" not in answer.text


async def test_the_index_has_pages_that_can_be_searched(app: Starlette, store: MemoryStore) -> None:
    """A hundred companies a page; links keep what was sought; odd numbers and texts give a page all the same."""
    for number in range(250):
        company = ACME.model_copy(
            update={"id": f"c{number}", "name": f"Firm {number:03}", "domain": f"f{number:03}.example"}
        )
        store.save_report(CompanyReport(run_id="run-2", company=company, status=SiteStatus.READ))
    first = await get(app, "/?q=FIRM&status=read")
    assert first.text.count('class="name"') == 100
    assert "1 to 100 of 250" in first.text
    assert 'href="?q=FIRM&amp;status=read&amp;page=2"' in first.text
    last = await get(app, "/runs/run-2/index.html?q=firm&page=3")
    assert "201 to 250 of 250" in last.text
    assert "252 companies" in last.text
    assert "1 found" in (await get(app, "/?q=f249.example")).text
    for odd in (
        "page=0",
        "page=x",
        "page=99999999999999999999",
        "page=%C2%B2",
        "q=%00",
        "band=%ED%A0%80",
        f"q={'x' * 5000}",
    ):
        assert (await get(app, f"/?{odd}")).status_code == 200
