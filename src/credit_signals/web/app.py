"""The results page: the reports of a store, rendered as they are asked for.

/                           the latest run
/runs/{run}/index.html      a run, and beside it the same pages that `credit-signals report` writes
     ?page=2&q=text&band=&status=&code=     the second page of those of its companies that are wanted
/runs/{run}/{company}.html  a company in a run
/companies/{domain}         a company in the latest run
/healthz                    200 while this process answers
/readyz                     200 while the store answers, too
"""

from __future__ import annotations

import logging
from urllib.parse import quote, urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from credit_signals.domain import Company, Wanted
from credit_signals.errors import StoreError
from credit_signals.pipeline import company_page, index_page
from credit_signals.report import IndexLinks, page_name, render_index
from credit_signals.store.base import ResultsStore
from credit_signals.web.headers import SecurityHeaders

log = logging.getLogger(__name__)

SEE_OTHER = 303
ON_A_PAGE = 100  # companies
DIGITS = 9  # of the number of a page
LONGEST = 200  # characters of what is asked for
PARAMETERS = {
    "text": "q",
    "band": "band",
    "status": "status",
    "code": "code",
}  # fields of Wanted by their names in addresses


def create_app(store: ResultsStore) -> Starlette:
    """The application over an open store. It only reads; a store that does not answer gives 503."""
    app = Starlette(
        routes=[
            Route("/", latest),
            Route("/runs/{run_id}", run_folder),
            Route("/runs/{run_id}/index.html", run_index),
            Route("/runs/{run_id}/{page}", company_in_run),
            Route("/companies/{domain}", company_in_latest_run),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
        ],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={StoreError: _store_trouble, HTTPException: _refused},
    )
    app.state.store = store
    return app


def latest(request: Request) -> Response:
    """The index of the latest run."""
    run_id = _latest_run(_store(request))
    return _index(request, run_id, f"runs/{quote(run_id, safe='')}/")


def run_folder(request: Request) -> Response:
    """To the index of a run, so that the links of its pages are relative."""
    run_id = _run(request)
    return RedirectResponse(f"{quote(run_id, safe='')}/index.html", SEE_OTHER)


def run_index(request: Request) -> Response:
    """The index of a run."""
    return _index(request, _run(request), "")


def company_in_run(request: Request) -> Response:
    """A company's page in a run."""
    store, run_id = _store(request), _run(request)
    company = _company_of_page(store, run_id, request.path_params["page"])
    if company is None or store.report(run_id, company.id) is None:
        raise HTTPException(404, "This run has no such company.")
    return HTMLResponse(company_page(run_id, company, store))


def company_in_latest_run(request: Request) -> Response:
    """To a company's page in the latest run."""
    store = _store(request)
    run_id, company = _latest_run(store), store.find_company(request.path_params["domain"].lower())
    if company is None or store.report(run_id, company.id) is None:
        raise HTTPException(404, "The latest run has no such company.")
    return RedirectResponse(f"../runs/{quote(run_id, safe='')}/{page_name(company)}", SEE_OTHER)


async def healthz(_: Request) -> Response:
    """Whether this process answers; it does so without a thread of the pool, which slow pages may use up."""
    return JSONResponse({"status": "ok"})


def readyz(request: Request) -> Response:
    """Whether the store answers."""
    try:
        _store(request).latest_run()
    except StoreError as error:
        log.warning("not ready: %s", error)
        return JSONResponse({"status": "failing", "failing": ["store: does not answer"]}, 503)
    return JSONResponse({"status": "ok"})


def _index(request: Request, run_id: str, folder: str) -> Response:
    asked = request.query_params
    given = {name: asked.get(parameter, "")[:LONGEST] for name, parameter in PARAMETERS.items()}
    page = index_page(run_id, _store(request), _page_number(asked.get("page", "")), ON_A_PAGE, Wanted(**given))
    kept = {PARAMETERS[name]: value for name, value in given.items() if value}
    links = IndexLinks(
        company=lambda company: folder + page_name(company),
        page=lambda number: f"?{urlencode({**kept, 'page': number})}",
        searchable=True,
    )
    return HTMLResponse(render_index(page, links))


def _page_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else 1


def _store(request: Request) -> ResultsStore:
    store: ResultsStore = request.app.state.store
    return store


def _latest_run(store: ResultsStore) -> str:
    run = store.latest_run()
    if run is None:
        raise HTTPException(404, "The store holds no run yet.")
    return run.id


def _run(request: Request) -> str:
    run = _store(request).run(request.path_params["run_id"])
    if run is None:
        raise HTTPException(404, "The store holds no such run.")
    return run.id


def _company_of_page(store: ResultsStore, run_id: str, page: str) -> Company | None:
    company = store.find_company(page.removesuffix(".html"))
    if company is not None and page_name(company) == page:
        return company
    if "_" not in page:
        return None
    # domains with a port or an IPv6 address are written differently in file names
    return next((each for each in store.companies(run_id) if page_name(each) == page), None)


def _refused(_: Request, error: Exception) -> Response:
    known = error if isinstance(error, HTTPException) else HTTPException(500)
    return PlainTextResponse(f"{known.detail}\n", known.status_code, headers=known.headers)


def _store_trouble(request: Request, error: Exception) -> Response:
    log.error("%s: %s", request.url.path, error)
    return PlainTextResponse("The results store does not answer.\n", 503)
