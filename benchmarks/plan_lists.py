"""Measured figures of planning that take no site: long lists of companies, small transactions, TLS."""

from __future__ import annotations

import gc
import ssl
import subprocess
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from plan_servers import Figures, World, cpu_seconds
from sqlalchemy import create_engine, text

from credit_signals import pipeline
from credit_signals.domain import Company, CompanyReport, Fetch, FetchStatus, SiteStatus, Wanted, now
from credit_signals.store.database import read_url

LISTED, INDEXED, LOOKS, SHARDS, PLANNED, HANDSHAKES = 50_000, 300_000, 20, 100, 300_000, 300


def measure_listing(world: World, figures: Figures) -> None:
    """A run of many companies: what one shard of it costs to list, and a look at how far it is."""
    tracemalloc.start()
    companies = [
        Company(id=f"c{number}", name=f"Company {number} Ltd", domain=f"c{number}.example", url="http://c.example/")
        for number in range(LISTED)
    ]
    run = pipeline.open_run(world.parts.store, pipeline.RunRequest(companies))
    figures["opening_bytes_per_company"].append(tracemalloc.get_traced_memory()[1] / LISTED)
    tracemalloc.stop()
    del companies
    gc.collect()
    tracemalloc.start()
    world.parts.store.companies(run.id, 0, SHARDS)
    figures["listing_bytes_per_company"].append(tracemalloc.get_traced_memory()[1] / LISTED)
    tracemalloc.stop()
    used = time.process_time()
    world.parts.store.companies(run.id, 0, SHARDS)
    figures["listing_cpu_seconds_per_company"].append((time.process_time() - used) / LISTED)
    engine = create_engine(read_url(world.url))
    with engine.begin() as connection:
        listing = connection.scalar(text("SELECT pg_total_relation_size('run_companies')"))
        figures["listing_row_bytes"].append(float(listing or 0) / LISTED)
        connection.execute(
            text(
                "INSERT INTO run_tasks (run_id, company_id, task_id, section_id, reader_id, state, reused, planned_at,"
                " dead_reason) SELECT :run, 'c' || n / 30, md5(n::text), md5(n::text), 'r', n % 2, 0, now(), ''"
                " FROM generate_series(1, :count) AS n"
            ),
            {"run": run.id, "count": PLANNED},
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE run_tasks"))
    engine.dispose()
    used = cpu_seconds(world.postgres)
    for _ in range(5):
        world.parts.store.progress(run.id)
    figures["progress_seconds_per_task"].append((cpu_seconds(world.postgres) - used) / 5 / PLANNED)


def measure_index(world: World, figures: Figures) -> None:
    """The results page's index of a long run: what each company of it costs a search that finds nothing."""
    store = world.parts.store
    company = Company(id="c0", name="Company 0 Ltd", domain="c0.example", url="http://c0.example/")
    run = pipeline.open_run(store, pipeline.RunRequest([company]))
    store.save_report(CompanyReport(run_id=run.id, company=company, status=SiteStatus.READ))
    few = _search_seconds(world, run.id)
    engine = create_engine(read_url(world.url))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for columns, values, table in (
            ("domain, report", "domain, report", "reports"),
            (
                "report_id, gauge, domain, band, status, signals, words, codes",
                "report_id, n % 100, 'c' || n || '.example', 'band ' || n % 5, status, n % 7,"
                " 'company ' || n || ' ltd c' || n || '.example', ' layoffs hiring '",
                "listings",
            ),
        ):
            connection.execute(
                text(
                    f"INSERT INTO {table} (run_id, company_id, {columns}) SELECT run_id, 'c' || n, {values}"
                    f" FROM {table}, generate_series(1, :count) AS n WHERE run_id = :run"
                ),
                {"run": run.id, "count": INDEXED},
            )
            connection.execute(text(f"VACUUM ANALYZE {table}"))
        size = connection.scalar(text("SELECT pg_total_relation_size('listings') / count(*) FROM listings"))
    engine.dispose()
    figures["listed_row_bytes"].append(float(size or 0))
    figures["search_cpu_seconds_per_company"].append((_search_seconds(world, run.id) - few) / INDEXED)


def _search_seconds(world: World, run_id: str) -> float:
    """Processor time of page and database to count the run and to seek a name that no company has."""
    wanted = Wanted(text="nobody's name")
    pipeline.index_page(run_id, world.parts.store, 1, 100, wanted)
    used = time.process_time() + cpu_seconds(world.postgres)
    for _ in range(LOOKS):
        pipeline.index_page(run_id, world.parts.store, 1, 100, wanted)
    return (time.process_time() + cpu_seconds(world.postgres) - used) / LOOKS


def measure_commits(world: World, figures: Figures) -> None:
    """Small transactions a second of the store, from four threads, each flushed to disk."""
    run = pipeline.open_run(world.parts.store, pipeline.RunRequest(world.companies))
    tasks = [[f"none-{thread}-{number}" for number in range(200)] for thread in range(4)]
    fetch = Fetch(company_id="c", url="", final_url="", status=FetchStatus.OK, fetched_at=now())

    def save(urls: list[str]) -> None:
        for url in urls:
            world.parts.store.save_fetches(run.id, [fetch.model_copy(update={"url": url, "final_url": url})])

    started = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(save, tasks))
    figures["database_commits_per_second"].append(800 / (time.perf_counter() - started))


def measure_tls(folder: Path, figures: Figures) -> None:
    """The client's side of a TLS 1.3 handshake with an ECDSA certificate, once a site."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    making = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=a.example", "-addext", "subjectAltName=DNS:a.example"]
    subprocess.run([*making, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    client = ssl.create_default_context(cafile=str(certificate))
    spent = 0.0
    for _ in range(HANDSHAKES):
        there, back, here, answer = (ssl.MemoryBIO() for _ in range(4))
        ours = client.wrap_bio(back, there, server_hostname="a.example")
        theirs = server.wrap_bio(here, answer, server_side=True)
        for _ in range(3):
            started = time.process_time()
            with suppress(ssl.SSLWantReadError):
                ours.do_handshake()
            spent += time.process_time() - started
            here.write(there.read())
            with suppress(ssl.SSLWantReadError):
                theirs.do_handshake()
            back.write(answer.read())
    figures["tls_cpu_seconds_per_site"].append(spent / HANDSHAKES)
