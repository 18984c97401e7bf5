"""One company's crawl: robots, home page, sitemaps, then the frontier until a budget is spent."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace

from credit_signals.crawl.fetcher import ANY_TYPE, Admit, Answer, Ask, Fetcher
from credit_signals.crawl.frontier import Frontier, Known
from credit_signals.crawl.home import is_platform, next_start, start_url
from credit_signals.crawl.limits import CrawlMemory
from credit_signals.crawl.pages import ParsedPage, parse_page
from credit_signals.crawl.robots import MAX_BYTES, RobotsRules, read_robots
from credit_signals.crawl.roles import classify_role
from credit_signals.crawl.sitemaps import MAX_FILES, MAX_NESTING, parse_sitemap
from credit_signals.crawl.urls import Site, canonical_url, origin_of
from credit_signals.domain import Budget, Company, Fetch, FetchStatus, Link, Page, PageRole, content_id, now
from credit_signals.errors import StoreError, StoreUnavailable

log = logging.getLogger(__name__)

Outcome = tuple[Fetch, Page | None]

READABLE = {FetchStatus.OK, FetchStatus.NOT_MODIFIED}
# The server was reached, only the home page is of no use: other pages may be.
HOME_ONLY = {FetchStatus.HTTP_ERROR, FetchStatus.TOO_LARGE, FetchStatus.UNSUPPORTED_TYPE, FetchStatus.BAD_CONTENT}
# Roles whose disappearance means something; also asked for when nothing links to them any more.
TELLING_ROLES = {PageRole.TEAM, PageRole.JOBS, PageRole.NEWS, PageRole.CONTACT, PageRole.IMPRINT}
MAX_REVISITS = 10
MAX_ORIGINS = 8  # hosts of one site whose robots.txt is asked for
MAX_UNASKED = 100  # rows for known URLs that were not requested, by reason
SITEMAP_DEPTH = 2


async def crawl_site(
    company: Company, fetcher: Fetcher, budget: Budget, memory: CrawlMemory
) -> AsyncIterator[tuple[Fetch, Page | None]]:
    """Crawl one company's site; gives every outcome as it comes, with the page where there is one to read.

    Outcomes of robots.txt and sitemaps, duplicates and failures come with None. A given outcome is never asked for
    again when it is in `memory.done`. Raises StoreUnavailable when the archive cannot be written.
    """
    crawl = _SiteCrawl(company, fetcher, budget, memory)
    async for outcome in crawl.run():
        yield outcome


class _SiteCrawl:
    def __init__(self, company: Company, fetcher: Fetcher, budget: Budget, memory: CrawlMemory) -> None:
        self._company = company
        self._fetcher = fetcher
        self._budget = budget
        self._memory = memory
        self._done = {fetch.url: fetch for fetch in memory.done if fetch.status is not FetchStatus.BUDGET_SPENT}
        used = sum(fetch.seconds for fetch in self._done.values())
        self._deadline = time.monotonic() + max(0.0, budget.seconds - used)
        self._pages_asked = 0
        self._bytes = 0
        self._rules: dict[str, tuple[RobotsRules, Fetch]] = {}
        self._outbox: list[Outcome] = []
        self._digests: dict[bytes, str] = {}
        self._denied = 0

    async def run(self) -> AsyncIterator[Outcome]:
        home = await self._ask_home()
        site = Site(home.fetch.final_url if home.fetch.status in READABLE else home.fetch.url)
        self._site = site
        self._frontier = Frontier(site, self._budget.depth)
        self._frontier.mark_taken(home.fetch.url)
        self._frontier.mark_taken(home.fetch.final_url)
        start = Known(home.fetch.url, 0, 0, role=PageRole.HOME)
        await self._keep(home, start)
        for outcome in self._drain():
            yield outcome
        if home.fetch.status not in READABLE | HOME_ONLY:
            return
        await self._read_sitemaps()
        for outcome in self._drain():
            yield outcome
        while (known := self._frontier.take()) is not None:
            spent = self._spent()
            if spent:
                self._record_unasked(known, spent)
                break
            await self._visit(known)
            for outcome in self._drain():
                yield outcome
        await self._revisit_telling_pages()
        for outcome in self._drain():
            yield outcome

    # --- asking ---------------------------------------------------------------------------------------------------

    async def _ask(self, ask: Ask) -> Answer:
        """Answer from this run's records if it is there, else from the network, else (304) from the archive."""
        done = self._done.get(ask.url)
        if done is not None:
            answer = await self._from_archive(done)
            if answer is not None:
                self._bytes += done.decoded_bytes
                return answer
        answer = await self._fetcher.fetch(ask)
        if answer.fetch.status is FetchStatus.NOT_MODIFIED:
            rebuilt = await self._from_archive(answer.fetch)
            answer = rebuilt or await self._fetcher.fetch(replace(ask, known=None))
        self._bytes += answer.fetch.decoded_bytes
        return answer

    async def _from_archive(self, fetch: Fetch) -> Answer | None:
        if fetch.status not in READABLE:
            return Answer(fetch)
        if fetch.archived_at is None:
            return None
        try:
            archived = await self._fetcher.in_thread(self._fetcher.archive.read, fetch.archived_at)
        except StoreUnavailable:
            raise
        except StoreError as error:
            log.warning("company %s: asking again for %s: %s", self._company.id, fetch.url, error)
            return None
        return Answer(fetch, archived.body)

    def _new_ask(self, url: str, admit: Admit) -> Ask:
        known = self._memory.archived.get(url)
        if known is not None and (known.archived_at is None or known.status not in READABLE):
            known = None
        return Ask(self._company.id, url, admit, self._deadline, known=known)

    async def _rules_for(self, url: str) -> tuple[RobotsRules, Fetch]:
        """The rules of a URL's origin, and the outcome of asking for them."""
        origin = origin_of(url)
        if origin not in self._rules and len(self._rules) >= MAX_ORIGINS:
            # a wildcard name has hosts without end
            refusal = f"more than {MAX_ORIGINS} hosts of one site"
            rules = RobotsRules(self._fetcher.limits.robots_token, refusal=refusal)
            self._rules[origin] = rules, self._unasked(f"{origin}robots.txt", FetchStatus.ROBOTS_DENIED, refusal)
        if origin not in self._rules:
            ask = self._new_ask(f"{origin}robots.txt", _admit_all)
            ask = replace(ask, types=ANY_TYPE, max_bytes=MAX_BYTES, truncate=True, known=None)
            answer = await self._ask(ask)
            rules = read_robots(answer.fetch, answer.body, self._fetcher.limits.robots_token)
            if rules.delay:
                self._fetcher.set_delay(url, rules.delay)
            self._rules[origin] = rules, answer.fetch
            self._outbox.append((answer.fetch, None))
        return self._rules[origin]

    async def _refusal(self, url: str) -> tuple[FetchStatus, str] | None:
        """Why robots.txt keeps a URL from being asked for, or None.

        Without any answer to robots.txt its failure is the URL's too: the same host would be asked.
        """
        rules, robots = await self._rules_for(url)
        if rules.allows(url):
            return None
        if rules.refusal and robots.status is not FetchStatus.HTTP_ERROR:
            return robots.status, robots.reason
        return FetchStatus.ROBOTS_DENIED, rules.refusal or "robots.txt"

    async def _admit_home(self, url: str) -> FetchStatus | None:
        if is_platform(url):
            return FetchStatus.REDIRECTED_AWAY
        refusal = await self._refusal(url)
        return refusal[0] if refusal else None

    async def _admit_own(self, url: str) -> FetchStatus | None:
        if not self._site.holds(url):
            return FetchStatus.REDIRECTED_AWAY
        refusal = await self._refusal(url)
        return refusal[0] if refusal else None

    # --- home page ------------------------------------------------------------------------------------------------

    async def _ask_home(self) -> Answer:
        """Ask for the home page, then for its other forms while there is no connection; the last outcome counts."""
        url, tried = start_url(self._company), set[str]()
        while True:
            tried.add(url)
            answer = await self._ask_start(url)
            other = next_start(url, answer.fetch.status)
            if other is None or other in tried or time.monotonic() >= self._deadline:
                return answer
            self._outbox.append((answer.fetch, None))
            url = other

    async def _ask_start(self, url: str) -> Answer:
        refusal = await self._refusal(url)
        if refusal:
            return Answer(self._unasked(url, *refusal))
        self._pages_asked += 1
        return await self._ask(self._new_ask(url, self._admit_home))

    # --- further pages --------------------------------------------------------------------------------------------

    async def _read_sitemaps(self) -> None:
        rules, _ = await self._rules_for(self._site.home)
        listed = [canonical_url(url, self._site.home) for url in rules.sitemaps]
        waiting = [(url, 0) for url in listed if url and self._site.holds(url)]
        waiting = waiting or [(f"{origin_of(self._site.home)}sitemap.xml", 0)]
        seen: set[str] = set()
        while waiting and len(seen) < MAX_FILES and not self._spent():
            url, nesting = waiting.pop(0)
            if url in seen or await self._refusal(url):
                continue
            seen.add(url)
            answer = await self._ask(replace(self._new_ask(url, self._admit_own), types=ANY_TYPE, known=None))
            self._outbox.append((answer.fetch, None))
            limit = self._fetcher.limits.max_bytes
            found = await self._fetcher.in_thread(parse_sitemap, url, answer.body, limit)
            for page in found.pages:
                own = canonical_url(page)
                if own:
                    self._frontier.add(own, min(SITEMAP_DEPTH, self._budget.depth))
            if nesting < MAX_NESTING:
                nested = [own for page in found.nested if (own := canonical_url(page)) and self._site.holds(own)]
                waiting += [(own, nesting + 1) for own in nested[: MAX_FILES * 2]]

    async def _visit(self, known: Known) -> None:
        refusal = await self._refusal(known.url)
        if refusal:
            self._denied += 1
            if self._denied <= MAX_UNASKED:
                self._outbox.append((self._unasked(known.url, *refusal), None))
            return
        self._pages_asked += 1
        answer = await self._ask(self._new_ask(known.url, self._admit_own))
        await self._keep(answer, known)

    async def _keep(self, answer: Answer, known: Known) -> None:
        """Put an outcome into the outbox, with its page unless that was read before under another URL."""
        fetch = answer.fetch
        if fetch.status not in READABLE:
            self._outbox.append((fetch, None))
            return
        digest = hashlib.blake2b(answer.body, digest_size=16).digest()
        first = self._digests.setdefault(digest, fetch.final_url)
        is_home = known.role is PageRole.HOME and known.depth == 0
        new_target = is_home or fetch.final_url == known.url or self._frontier.mark_taken(fetch.final_url)
        if first != fetch.final_url or not new_target:
            same = fetch.model_copy(update={"reason": f"same page as {first}"})
            self._outbox.append((same, None))
            return
        parsed = await self._fetcher.in_thread(parse_page, fetch, answer.body)
        if parsed.follow:
            for link in parsed.links:
                if "nofollow" not in link.rel.split():
                    self._frontier.add(link.url, known.depth + 1, link.anchor)
        page = self._page(fetch, parsed, known)
        self._outbox.append((fetch.model_copy(update={"charset": parsed.charset}), page))

    def _page(self, fetch: Fetch, parsed: ParsedPage, known: Known) -> Page:
        role = known.role
        if known.depth or role is not PageRole.HOME:
            role = classify_role(fetch.final_url, known.anchors, parsed.title)
        links = (
            Link(url=self._frontier.resolve(link.url), anchor=link.anchor, rel=link.rel)
            if self._site.holds(link.url)
            else link
            for link in parsed.links
        )
        return Page(
            id=content_id(self._company.id, fetch.final_url),
            company_id=self._company.id,
            url=fetch.final_url,
            html=parsed.html,
            depth=known.depth,
            role=role,
            title=parsed.title,
            html_lang=parsed.language,
            links=tuple(links),
            fetched_at=fetch.fetched_at,
        )

    async def _revisit_telling_pages(self) -> None:
        """Ask for team, jobs, news, contact and imprint pages of earlier crawls that nothing links to any more."""
        left = MAX_REVISITS
        for url, fetch in self._memory.archived.items():
            telling = fetch.status in READABLE and classify_role(url) in TELLING_ROLES
            if not telling or not self._site.holds(url) or self._frontier.knows(url):
                continue
            if left == 0 or time.monotonic() >= self._deadline:
                return
            left -= 1
            self._frontier.mark_taken(url)
            await self._visit(Known(url, self._budget.depth, 0))

    # --- budget ---------------------------------------------------------------------------------------------------

    def _spent(self) -> str:
        """Which budget is spent, or an empty string."""
        if self._pages_asked >= self._budget.pages:
            return f"{self._budget.pages} pages asked for"
        if self._bytes >= self._budget.bytes:
            return f"{self._budget.bytes} bytes read"
        if time.monotonic() >= self._deadline:
            return f"{self._budget.seconds:.0f} s used"
        return ""

    def _record_unasked(self, first: Known, spent: str) -> None:
        unasked = [first, *(known for _, known in zip(range(MAX_UNASKED - 1), self._frontier.waiting(), strict=False))]
        for known in unasked:
            self._outbox.append((self._unasked(known.url, FetchStatus.BUDGET_SPENT, spent), None))

    def _unasked(self, url: str, status: FetchStatus, reason: str) -> Fetch:
        """The outcome of a URL that was not requested."""
        return Fetch(
            company_id=self._company.id,
            url=url,
            final_url=url,
            status=status,
            reason=reason,
            attempts=0,
            fetched_at=now(),
        )

    def _drain(self) -> list[Outcome]:
        outcomes, self._outbox = self._outbox, []
        return outcomes


async def _admit_all(_url: str) -> FetchStatus | None:
    return None
