"""Whole crawls of small sites on loopback."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass, replace

import pytest
from bad_server import BadServer, Request, reply

from credit_signals.crawl import CrawlMemory, Fetcher, FetchLimits, WarcArchive, crawl_site, judge_site, site_faults
from credit_signals.domain import Budget, Company, Fetch, FetchStatus, Page, PageRole, SiteStatus


@dataclass
class Crawled:
    """What a crawl gave."""

    fetches: list[Fetch]
    pages: list[Page]

    def status(self, path: str) -> FetchStatus:
        """The outcome recorded for a path."""
        return next(fetch.status for fetch in self.fetches if fetch.url.endswith(path))

    def urls(self) -> list[str]:
        """The pages' URLs, in order."""
        return [page.url for page in self.pages]


async def crawl(
    company: Company, fetcher: Fetcher, budget: Budget, memory: CrawlMemory | None = None, stop_after: int = 10_000
) -> Crawled:
    """Run a crawl to its end or until it is killed."""
    fetches, pages = [], []
    async for fetch, page in crawl_site(company, fetcher, budget, memory or CrawlMemory()):
        fetches.append(fetch)
        if page is not None:
            pages.append(page)
        if len(fetches) >= stop_after:
            break
    return Crawled(fetches, pages)


def links(*paths: str, text: str = "") -> str:
    """A page with links and some text."""
    anchors = "".join(f'<a href="{path}">{path.strip("/")}</a> ' for path in paths)
    return f"<html lang=en><title>t</title><body>{anchors}<p>{text or paths}</p></body></html>"


@pytest.fixture
def site(server: BadServer) -> BadServer:
    """A site of five linked pages with a robots.txt and a sitemap."""
    server.routes |= {
        "/robots.txt": reply(
            "User-agent: *\nDisallow: /private\nSitemap: http://acme.example/map.xml", content_type="text/plain"
        ),
        "/map.xml": reply(
            "<urlset><url><loc>http://acme.example/hidden-team</loc></url>"
            "<url><loc>http://elsewhere.example/x</loc></url></urlset>",
            content_type="application/xml",
        ),
        "/": reply(links("/products", "/about", "/imprint", "/private/x", "http://elsewhere.example/y", "/a.pdf")),
        "/about": reply(links("/"), ETag='"about"'),
        "/imprint": reply(links("/about", text="Acme Ltd"), ETag='"imprint"'),
        "/products": reply(links("/products/1", text="products")),
        "/products/1": reply(links("/", text="one")),
        "/hidden-team": reply(links("/", text="team")),
    }
    return server


async def test_whole_site(site: BadServer, fetcher: Fetcher, company: Company, budget: Budget) -> None:
    """Important pages come first, sitemap pages are found, refused and foreign ones are not asked for."""
    found = await crawl(company, fetcher, budget)
    assert found.urls()[:3] == ["http://acme.example/", "http://acme.example/imprint", "http://acme.example/about"]
    assert set(site.paths()) == {
        "/robots.txt", "/", "/map.xml", "/imprint", "/about", "/products", "/products/1", "/hidden-team",
    }  # fmt: skip
    assert found.status("/private/x") is FetchStatus.ROBOTS_DENIED
    assert len(site.hits) == len(set(site.paths()))
    home = found.pages[0]
    assert (home.role, home.depth, home.html_lang) == (PageRole.HOME, 0, "en")
    assert next(page for page in found.pages if page.url.endswith("/imprint")).role is PageRole.IMPRINT
    assert judge_site(company, found.fetches, found.pages)[0] is SiteStatus.READ


async def test_same_crawl_twice_is_the_same(
    site: BadServer, fetcher: Fetcher, company: Company, budget: Budget
) -> None:
    """The second crawl sends conditional requests and gives the same pages, those of 304 from the archive."""

    async def conditional(request: Request, writer: asyncio.StreamWriter) -> None:
        known = request.headers.get("if-none-match") == '"imprint"'
        writer.write(b"HTTP/1.1 304 Not Modified\r\n\r\n" if known else reply(links("/about"), ETag='"imprint"'))
        await writer.drain()

    site.routes["/imprint"] = conditional
    first = await crawl(company, fetcher, budget)
    archived = {fetch.url: fetch for fetch in first.fetches if fetch.archived_at}
    second = await crawl(company, fetcher, budget, CrawlMemory(archived=archived))
    assert second.status("/imprint") is FetchStatus.NOT_MODIFIED
    assert [(page.id, page.html, page.links) for page in second.pages] == [
        (page.id, page.html, page.links) for page in first.pages
    ]


@pytest.mark.parametrize("killed_after", range(1, 9))
async def test_resume(site: BadServer, fetcher: Fetcher, company: Company, budget: Budget, killed_after: int) -> None:
    """A crawl that was killed after any outcome goes on without asking for anything twice."""
    whole = await crawl(company, fetcher, budget)
    site.hits.clear()
    part = await crawl(company, fetcher, budget, stop_after=killed_after)
    asked = site.paths()
    rest = await crawl(company, fetcher, budget, CrawlMemory(done=part.fetches))
    recorded = {fetch.url.removeprefix("http://acme.example") for fetch in part.fetches}
    assert not recorded & set(site.paths()[len(asked) :])
    assert rest.urls() == whole.urls()
    assert [page.html for page in rest.pages] == [page.html for page in whole.pages]


async def test_damaged_archive_is_fetched_again(
    site: BadServer, fetcher: Fetcher, company: Company, budget: Budget
) -> None:
    """Records that cannot be read back cost a request, not the crawl."""
    first = await crawl(company, fetcher, budget)
    lost = [
        fetch.model_copy(update={"archived_at": fetch.archived_at.model_copy(update={"file": "gone.warc.gz"})})
        if fetch.archived_at
        else fetch
        for fetch in first.fetches
    ]
    again = await crawl(company, fetcher, budget, CrawlMemory(done=lost))
    assert again.urls() == first.urls()


async def test_budget(site: BadServer, fetcher: Fetcher, company: Company) -> None:
    """What is known but beyond the page budget is recorded as such."""
    found = await crawl(company, fetcher, Budget(pages=2))
    assert len(found.pages) == 2
    assert found.status("/products") is FetchStatus.BUDGET_SPENT
    assert len([path for path in site.paths() if path not in {"/robots.txt", "/map.xml"}]) == 2


async def test_byte_budget(site: BadServer, fetcher: Fetcher, company: Company) -> None:
    """Decoded bytes are counted over all responses."""
    found = await crawl(company, fetcher, Budget(bytes=100))
    assert len(found.pages) == 1


async def test_vanished_page(site: BadServer, fetcher: Fetcher, company: Company, budget: Budget) -> None:
    """A team page that was there before is asked for again although nothing links to it, and its loss is a fact."""
    first = await crawl(company, fetcher, budget)
    archived = {fetch.url: fetch for fetch in first.fetches if fetch.archived_at}
    site.routes["/map.xml"] = reply("", 404)
    site.routes["/hidden-team"] = reply("gone", 410)
    second = await crawl(company, fetcher, budget, CrawlMemory(archived=archived))
    assert second.status("/hidden-team") is FetchStatus.HTTP_ERROR
    facts = site_faults(company, second.fetches, second.pages, list(archived.values()))
    assert [(fact.key, fact.url) for fact in facts] == [("vanished_page", "http://acme.example/hidden-team")]


async def test_endless_calendar(server: BadServer, fetcher: Fetcher, company: Company) -> None:
    """Pages that link to ever new generated pages are bounded long before the budget."""
    count = 0

    async def page(request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        writer.write(reply(links(f"/day/{count}", f"/x?id={count}", f"{request.path}/deeper", text=str(count))))
        await writer.drain()

    class Everything(dict[str, object]):
        def get(self, key: str, default: object = None) -> object:
            return page if not key.endswith((".txt", ".xml")) else default

    server.routes = Everything()  # type: ignore[assignment] # any path answers
    found = await crawl(company, fetcher, Budget(pages=400, depth=50))
    assert len(found.pages) < 200


async def test_two_forms_of_one_page(server: BadServer, fetcher: Fetcher, company: Company, budget: Budget) -> None:
    """Index pages, tracking parameters, www, fragments and equal bodies do not double a page."""
    server.routes |= {
        "/": reply(links("/index.html", "/#top", "/?utm_source=x", "http://www.acme.example/about", "/about", "/copy")),
        "/about": reply(links("/", text="same")),
        "/copy": reply(links("/", text="same")),
    }
    found = await crawl(company, fetcher, budget)
    assert found.urls() == ["http://acme.example/", "http://acme.example/about"]
    assert found.pages[0].links[0].url == "http://acme.example/"
    assert "/index.html" not in server.paths()


async def test_moved_domain(server: BadServer, fetcher: Fetcher, company: Company, budget: Budget) -> None:
    """A home page that moved takes the crawl along; later pages that lead away are recorded, not followed."""
    server.routes |= {
        "acme.example/": reply("", 301, Location="http://www.acme-group.example/"),
        "www.acme-group.example/": reply(links("/about", "/shop")),
        "www.acme-group.example/about": reply(links("/")),
        "www.acme-group.example/shop": reply("", 302, Location="http://marketplace.example/acme"),
        "marketplace.example/acme": reply("never"),
    }
    found = await crawl(company, fetcher, budget)
    assert found.urls() == ["http://www.acme-group.example/", "http://www.acme-group.example/about"]
    assert found.status("/shop") is FetchStatus.REDIRECTED_AWAY
    assert all(hit.host != "marketplace.example" for hit in server.hits)


@pytest.mark.parametrize("target", ["http://www.facebook.com/acme", "http://acme-group.example/"])
async def test_moved_where_robots_or_sense_forbid(
    server: BadServer, fetcher: Fetcher, company: Company, budget: Budget, target: str
) -> None:
    """The new domain's robots.txt counts, and a profile on a platform is not the company's site."""
    server.routes |= {
        "acme.example/": reply("", 301, Location=target),
        "acme-group.example/robots.txt": reply("User-agent: *\nDisallow: /", content_type="text/plain"),
    }
    found = await crawl(company, fetcher, budget)
    assert found.pages == []
    assert server.paths().count("/") == 1


async def test_robots_refusal(server: BadServer, fetcher: Fetcher, company: Company, budget: Budget) -> None:
    """A site that refuses robots is left alone."""
    server.routes |= {"/robots.txt": reply("User-agent: *\nDisallow: /", content_type="text/plain"), "/": reply("x")}
    found = await crawl(company, fetcher, budget)
    assert server.paths() == ["/robots.txt"]
    assert judge_site(company, found.fetches, found.pages)[0] is SiteStatus.ROBOTS_REFUSED


async def test_robots_server_error(server: BadServer, fetcher: Fetcher, company: Company, budget: Budget) -> None:
    """A server error at robots.txt forbids everything (RFC 9309), and the fault is the server's."""
    server.routes |= {"/robots.txt": reply("", 500), "/": reply("x")}
    found = await crawl(company, fetcher, budget)
    assert server.paths() == ["/robots.txt"]
    assert judge_site(company, found.fetches, found.pages)[0] is SiteStatus.HTTP_ERROR


async def test_crawl_delay(server: BadServer, archive: WarcArchive, limits: FetchLimits, company: Company) -> None:
    """Crawl-delay is obeyed, up to the cap."""
    server.routes |= {
        "/robots.txt": reply("User-agent: *\nCrawl-delay: 100", content_type="text/plain"),
        "/": reply(links("/about")),
        "/about": reply("about"),
    }
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with Fetcher(replace(limits, max_crawl_delay=0.2), archive) as fetcher:
        found = await crawl(company, fetcher, Budget(seconds=30))
    assert len(found.pages) == 2
    assert loop.time() - started >= 0.6


async def test_redirect_loop_site(server: BadServer, fetcher: Fetcher, company: Company, budget: Budget) -> None:
    """A home page that redirects to itself is a redirect loop, robots.txt doing the same included."""

    class Loop(dict[str, object]):
        def get(self, key: str, default: object = None) -> object:
            return reply("", 302, Location=key) if key.startswith("/") else default

    server.routes = Loop()  # type: ignore[assignment] # any path answers
    found = await crawl(company, fetcher, budget)
    assert judge_site(company, found.fetches, found.pages)[0] is SiteStatus.REDIRECT_LOOP


async def test_error_home_with_other_pages(
    server: BadServer, fetcher: Fetcher, company: Company, budget: Budget
) -> None:
    """A home page in error does not hide the pages that the sitemap names."""
    server.routes |= {
        "/": reply("", 500),
        "/sitemap.xml": reply(
            gzip.compress(b"<urlset><url><loc>http://acme.example/about</loc></url></urlset>"),
            content_type="application/gzip",
        ),
        "/about": reply("about us"),
    }
    found = await crawl(company, fetcher, budget)
    assert found.urls() == ["http://acme.example/about"]
    server.routes["/sitemap.xml"] = reply("", 404)
    nothing = await crawl(company, fetcher, budget)
    assert judge_site(company, nothing.fetches, nothing.pages) == (SiteStatus.HTTP_ERROR, "the home page answers 500")


async def test_https_falls_back_to_http(server: BadServer, fetcher: Fetcher, company: Company, budget: Budget) -> None:
    """Where no TLS handshake succeeds the site is read over http, and the failure stays on record."""
    server.routes |= {"/": reply(links("/about", text="hello")), "/about": reply("about")}
    secure = company.model_copy(update={"url": "https://acme.example/"})
    found = await crawl(secure, fetcher, budget)
    assert found.urls() == ["http://acme.example/", "http://acme.example/about"]
    assert FetchStatus.TLS_ERROR in {fetch.status for fetch in found.fetches}
    assert [fact.key for fact in site_faults(secure, found.fetches, found.pages)] == ["tls_failure"]
    assert judge_site(secure, found.fetches, found.pages)[0] is SiteStatus.READ


async def test_blocked_site(
    server: BadServer, archive: WarcArchive, limits: FetchLimits, company: Company, budget: Budget
) -> None:
    """A company whose name leads to a private address is reported so."""
    async with Fetcher(replace(limits, allow_private_network=False), archive) as fetcher:
        found = await crawl(company, fetcher, budget)
    assert judge_site(company, found.fetches, found.pages)[0] is SiteStatus.BLOCKED_ADDRESS
    assert server.hits == []


async def test_links_to_private_addresses(
    server: BadServer, archive: WarcArchive, limits: FetchLimits, company: Company, budget: Budget
) -> None:
    """Links to loopback and metadata addresses lie outside the site and are never asked for."""
    server.routes["/"] = reply(links("http://127.0.0.1/admin", "http://169.254.169.254/", "//localhost/x"))
    async with Fetcher(limits, archive) as fetcher:
        found = await crawl(company, fetcher, budget)
    assert {hit.host for hit in server.hits} == {"acme.example"}
    assert len(found.pages) == 1


async def test_frames_refresh_and_nofollow(
    server: BadServer, fetcher: Fetcher, company: Company, budget: Budget
) -> None:
    """Frames and refreshes are followed like links, links marked nofollow are not."""
    server.routes |= {
        "/": reply('<meta http-equiv=refresh content="0; url=/start"><a rel="nofollow" href=/paid>x</a>'),
        "/start": reply("<frameset><frame src=/main></frameset>"),
        "/main": reply("<p>main"),
        "/paid": reply("paid"),
    }
    found = await crawl(company, fetcher, budget)
    assert [url.rpartition("/")[2] for url in found.urls()] == ["", "start", "main"]


async def test_charset_and_plain_text(server: BadServer, fetcher: Fetcher, company: Company, budget: Budget) -> None:
    """A wrong declared charset is survived and plain text becomes a page."""
    german = "<p>Geschäftsführer: Jörg Müller, Straße 5, Köln, Öffnungszeiten täglich</p>"
    server.routes |= {
        "/": reply((german + links("/note.txt")).encode("cp1252"), content_type="text/html; charset=utf-8"),
        "/note.txt": reply("a < b", content_type="text/plain"),
    }
    found = await crawl(company, fetcher, budget)
    assert "Geschäftsführer: Jörg Müller, Straße" in found.pages[0].html
    assert found.pages[1].html.endswith("<pre>a &lt; b</pre>")


async def test_many_companies_at_once(server: BadServer, fetcher: Fetcher, budget: Budget) -> None:
    """Crawls of different companies share one fetcher without mixing."""

    async def page(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(links("/about", "/team", text=request.host + request.path)))
        await writer.drain()

    server.routes |= dict.fromkeys(("/", "/about", "/team"), page)
    companies = [Company(id=f"c{n}", name="x", domain=f"c{n}.example", url=f"http://c{n}.example/") for n in range(20)]
    results = await asyncio.gather(*(crawl(company, fetcher, budget) for company in companies))
    for company, found in zip(companies, results, strict=True):
        assert len(found.pages) == 3
        assert all(f"//{company.domain}/" in page.url and page.company_id == company.id for page in found.pages)


async def test_secure_redirect_that_fails(
    server: BadServer, fetcher: Fetcher, company: Company, budget: Budget
) -> None:
    """A site whose http leads to https without a working TLS is unreachable, not refused."""
    server.routes["/"] = reply("", 301, Location="https://acme.example/")
    found = await crawl(company, fetcher, budget)
    status, reason = judge_site(company, found.fetches, found.pages)
    assert (status, reason.partition(":")[0]) == (SiteStatus.UNREACHABLE, "no secure connection")


async def test_hosts_without_end(server: BadServer, fetcher: Fetcher, company: Company, budget: Budget) -> None:
    """A wildcard name cannot make the crawler ask hundreds of hosts for robots.txt."""
    server.routes["acme.example/"] = reply(links(*(f"http://h{n}.acme.example/" for n in range(100))))
    await crawl(company, fetcher, budget)
    assert len({hit.host for hit in server.hits}) <= 8


async def test_password_in_the_listed_url(
    server: BadServer, fetcher: Fetcher, company: Company, budget: Budget
) -> None:
    """A password in the company list reaches neither the site nor the records."""
    server.routes["/"] = reply(links("/about", text="x"))
    listed = company.model_copy(update={"url": "http://user:hunter2@acme.example/"})
    found = await crawl(listed, fetcher, budget)
    assert found.urls() == ["http://acme.example/"]
    assert all("hunter2" not in fetch.model_dump_json() for fetch in found.fetches)
    assert all("authorization" not in hit.headers for hit in server.hits)


async def test_two_charsets_survive_a_resume(
    server: BadServer, fetcher: Fetcher, company: Company, budget: Budget
) -> None:
    """Text that needed a detector reads the same from the archive."""
    body = "<p>Geschäftsführer: Jörg Müller, Straße 5, Köln, täglich geöffnet</p>".encode("cp1252")
    server.routes["/"] = reply(body, content_type="text/html; charset=utf-8")
    first = await crawl(company, fetcher, budget)
    again = await crawl(company, fetcher, budget, CrawlMemory(done=first.fetches))
    assert [page.html for page in again.pages] == [page.html for page in first.pages]
    assert again.fetches == first.fetches


async def test_session_in_a_redirect(server: BadServer, fetcher: Fetcher, company: Company, budget: Budget) -> None:
    """A home page that redirects to a session parameter is read under its plain URL."""
    server.routes |= {
        "/": reply("", 302, Location="/?PHPSESSID=0123456789abcdef"),
        "/?PHPSESSID=0123456789abcdef": reply("<p>welcome"),
    }
    found = await crawl(company, fetcher, budget)
    assert found.urls() == ["http://acme.example/"]


async def test_dripping_robots(
    server: BadServer, archive: WarcArchive, limits: FetchLimits, company: Company, budget: Budget
) -> None:
    """A robots.txt that never ends leaves the site unreachable, not refused."""

    async def drip(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            writer.write(b"#")
            await writer.drain()
            await asyncio.sleep(0.02)

    server.routes |= {"/robots.txt": drip, "/": reply("x")}
    async with Fetcher(replace(limits, total_seconds=0.2), archive) as fetcher:
        found = await crawl(company, fetcher, budget)
    assert judge_site(company, found.fetches, found.pages)[0] is SiteStatus.UNREACHABLE
    assert server.paths() == ["/robots.txt"]
