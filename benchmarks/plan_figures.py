"""The measured figures of planning, printed as tables for src/credit_signals/planning/figures.toml.

    python benchmarks/plan_figures.py [--sites FOLDER] [--repeat 3]

Crawls the sites of FOLDER (one folder of static files each; default: the sample web) from a web server in a process of
its own into a private Postgres that flushes its commits, queues the sections on a private Redis, reads them with one
worker, scores, crawls again. Processor time is of the process that did the work (proc(5)), so that a busy machine
changes little; bytes are what the servers themselves report. One thread everywhere.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from plan_lists import measure_commits, measure_index, measure_listing, measure_tls
from plan_servers import Figures, World, cpu_seconds, private_postgres, sample_sites
from pydantic import SecretStr
from redis import Redis
from sqlalchemy import create_engine, text

from credit_signals import pipeline, wiring
from credit_signals.children import start_child
from credit_signals.cli.workers import child_environment
from credit_signals.domain import Budget, Company, Run, SectionTask, content_id
from credit_signals.inference.opening import open_reader
from credit_signals.settings import Settings
from credit_signals.store import MemoryStore
from credit_signals.store.database import read_url
from credit_signals.task_queue import EmbeddedRedis

SAMPLE = Path(__file__).resolve().parents[1] / "tests/sample_web/sites"
PAGES = 12
QUEUE_TASKS = 20_000
READ_ALONE = 192
TABLES = ("fetches", "sections", "site_records", "site_sections", "run_tasks", "predictions", "reports", "signals")


def table_bytes(url: str) -> dict[str, tuple[int, int]]:
    """By table: bytes with indexes and large values, rows."""
    engine = create_engine(read_url(url))
    with engine.connect() as connection:
        found = {
            table: (
                connection.scalar(text(f"SELECT pg_total_relation_size('{table}')")) or 0,
                connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0,
            )
            for table in TABLES
        }
    engine.dispose()
    return found


def commits(url: str) -> float:
    """Transactions that wrote something so far: only they are numbered, and flushed to disk."""
    engine = create_engine(read_url(url))
    with engine.connect() as connection:
        found = connection.scalar(text("SELECT txid_snapshot_xmax(txid_current_snapshot())"))
    engine.dispose()
    return float(found or 0)


def crawl(world: World, run: Run) -> tuple[float, float]:
    """Processor seconds and seconds of one crawl in this process, splitting and storing included."""
    tools = wiring.crawl_tools(world.settings, world.parts.store, None)
    started, used = time.perf_counter(), time.process_time()
    asyncio.run(pipeline.crawl_shard(run.id, tools))
    return time.process_time() - used, time.perf_counter() - started


def measure_crawl(world: World, figures: Figures) -> Run:
    """A first crawl: pages, sections, bytes, processor time of crawler and database."""
    budget = Budget(pages=PAGES)
    run = pipeline.open_run(world.parts.store, pipeline.RunRequest(world.companies, budget=budget))
    database, committed = cpu_seconds(world.postgres), commits(world.url)
    used, wall = crawl(world, run)
    database, committed = cpu_seconds(world.postgres) - database, commits(world.url) - committed
    store = world.parts.store
    records = [record for company in world.companies if (record := store.site(run.id, company.id)) and record.sections]
    pages = sum(record.pages for record in records)
    sections = sum(len(record.sections) for record in records)
    fetches = [fetch for company in world.companies for fetch in store.fetches(run.id, company.id)]
    requests = sum(fetch.http_status is not None for fetch in fetches)
    warc = sum(file.stat().st_size for file in world.settings.archive_dir.glob("*.warc.gz"))
    unique = {section.content_hash for record in records for section in record.sections}
    languages = {"en", "de", "fr"}
    readable = [section for record in records for section in record.sections if section.language in languages]
    figures["pages_per_company"].append(pages / len(records))
    figures["sections_per_page"].append(sections / pages)
    figures["unique_section_share"].append(len(unique) / sections)
    figures["readable_section_share"].append(len(readable) / sections)
    figures["requests_per_page"].append(requests / pages)
    figures["archive_bytes_per_page"].append(warc / pages)
    figures["decoded_bytes_per_page"].append(sum(fetch.decoded_bytes for fetch in fetches) / pages)
    figures["commits_per_page"].append(committed / pages)
    figures["crawl_cpu_seconds_per_page"].append(used / pages)
    figures["crawl_database_cpu_seconds_per_page"].append(database / pages)
    print(
        f"crawl: {len(records)} companies, {pages} pages, {sections} sections, {wall:.1f} s, {used:.1f} CPU-s",
        file=sys.stderr,
    )
    return run


def warm(world: World) -> None:
    """Load what the first page of a process loads: language models, date parsers, patterns."""
    tools = pipeline.CrawlTools(
        MemoryStore(), None, "none", world.settings.archive_dir.parent / "warm", wiring.fetch_limits(world.settings)
    )
    run = pipeline.open_run(tools.store, pipeline.RunRequest(world.companies))
    asyncio.run(pipeline.crawl_shard(run.id, tools))


def measure_recrawl(world: World, figures: Figures, before: dict[str, tuple[int, int]]) -> None:
    """A second crawl of unchanged sites: what a pass adds to the store, and what it costs."""
    budget = Budget(pages=PAGES)
    run = pipeline.open_run(world.parts.store, pipeline.RunRequest(world.companies, budget=budget))
    used, _ = crawl(world, run)
    store = world.parts.store
    records = [record for company in world.companies if (record := store.site(run.id, company.id)) and record.sections]
    list(pipeline.score_run(run.id, store, wiring.open_weights(world.settings)))
    after = table_bytes(world.url)
    figures["recrawl_cpu_seconds_per_page"].append(used / sum(record.pages for record in records))
    reused = 1 - len(store.unread_tasks(run.id)) / max(1, sum(len(record.sections) for record in records))
    print(f"second crawl: {reused:.3f} of the sections answered before", file=sys.stderr)
    for table, name in (
        ("fetches", "fetch_row_bytes"),
        ("site_records", "site_record_row_bytes"),
        ("site_sections", "site_section_row_bytes"),
        ("run_tasks", "task_row_bytes"),
        ("reports", "report_row_bytes"),
    ):
        (old_bytes, old_rows), (new_bytes, new_rows) = before[table], after[table]
        if new_rows > old_rows:
            figures[name].append((new_bytes - old_bytes) / (new_rows - old_rows))
    for table, name in (("sections", "section_row_bytes"), ("predictions", "prediction_row_bytes")):
        figures[name].append(after[table][0] / after[table][1])
    figures["signals_per_company"].append(after["signals"][1] / len(records))
    figures["signal_row_bytes"].append(after["signals"][0] / max(1, after["signals"][1]))


def measure_queue(tasks: list[SectionTask], redis: EmbeddedRedis, settings: Settings, figures: Figures) -> None:
    """Bytes of a waiting task in Redis, and Redis's processor time for put, take and acknowledge."""
    queue = wiring.open_queue(settings)
    client = Redis.from_url(redis.url)
    renamed = [
        task.model_copy(update={"id": content_id(task.id, str(copy))})
        for copy in range(QUEUE_TASKS // len(tasks) + 1)
        for task in tasks
    ][:QUEUE_TASKS]
    figures["redis_empty_bytes"].append(client.info("memory")["used_memory"])
    empty, started = client.info("memory")["used_memory"], cpu_seconds(redis.pid)
    queue.put(renamed)
    full, put = client.info("memory")["used_memory"], cpu_seconds(redis.pid)
    clock = time.perf_counter()
    while deliveries := queue.take(settings.batch, 0):
        queue.ack(deliveries)
    wall, done = time.perf_counter() - clock, cpu_seconds(redis.pid)
    figures["redis_bytes_per_task"].append((full - empty) / len(renamed))
    figures["redis_cpu_seconds_per_task"].append((done - started) / len(renamed))
    figures["redis_put_cpu_seconds_per_task"].append((put - started) / len(renamed))
    print(f"queue: {len(renamed) / wall:.0f} tasks/s by one consumer in batches of {settings.batch}", file=sys.stderr)
    queue.close()
    client.close()


def measure_reading(world: World, run: Run, figures: Figures) -> None:
    """One worker reads the run: processor time of worker, reader alone and database; memory; cold start."""
    tools = wiring.crawl_tools(world.settings, world.parts.store, world.parts.queue)
    store = world.parts.store
    database, committed = cpu_seconds(world.postgres), commits(world.url)
    tasks = 0
    for company in world.companies:
        record = store.site(run.id, company.id)
        if record:
            tasks += pipeline.enqueue_company(run, record, tools)
    child = start_child(
        [sys.executable, "-m", "credit_signals.cli", "work"],
        env=child_environment(world.settings),
        output=(world.settings.data_dir / "worker.log").open("wb"),
    )
    started = time.perf_counter()
    while store.unread(run.id) == tasks:
        time.sleep(0.05)
    first, cpu_first, left = time.perf_counter() - started, cpu_seconds(child.pid), store.unread(run.id)
    while store.unread(run.id):
        time.sleep(0.2)
    used = cpu_seconds(child.pid) - cpu_first
    memory = next(
        int(line.split()[1])
        for line in Path(f"/proc/{child.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        if line.startswith("Pss:")
    )
    child.terminate()
    child.wait(60)
    figures["commits_per_section"].append((commits(world.url) - committed) / tasks)
    figures["worker_cpu_seconds_per_section"].append(used / left)
    figures["worker_start_cpu_seconds"].append(cpu_first)
    figures["worker_start_seconds"].append(first)
    figures["worker_memory_bytes"].append(memory * 1024.0)
    figures["read_database_cpu_seconds_per_section"].append((cpu_seconds(world.postgres) - database) / tasks)
    print(f"reading: {tasks} tasks, {used:.1f} CPU-s for the last {left}", file=sys.stderr)


def measure_reader(world: World, run: Run, figures: Figures) -> None:
    """The reader alone, without queue and store."""
    records = [world.parts.store.site(run.id, company.id) for company in world.companies]
    sections = [section for record in records if record for section in record.sections]
    reader = open_reader(world.settings.reader_manifest)
    sample = random.Random(1).sample(sections, min(READ_ALONE, len(sections)))
    reader.read(sample[:16])
    used = time.process_time()
    for start in range(0, len(sample), world.settings.batch):
        reader.read(sample[start : start + world.settings.batch])
    figures["reader_cpu_seconds_per_section"].append((time.process_time() - used) / len(sample))
    figures["sentences_per_section"].append(statistics.fmean(len(section.sentences) for section in sections))
    figures["characters_per_section"].append(statistics.fmean(len(section.text) for section in sections))
    reader.close()


def measure_scoring(world: World, run: Run, figures: Figures) -> None:
    """Scoring and reporting of the run's companies."""
    used, database = time.process_time(), cpu_seconds(world.postgres)
    reports = list(pipeline.score_run(run.id, world.parts.store, wiring.open_weights(world.settings)))
    figures["score_cpu_seconds_per_company"].append((time.process_time() - used) / len(reports))
    figures["score_database_cpu_seconds_per_company"].append((cpu_seconds(world.postgres) - database) / len(reports))


def once(sites: Path, figures: Figures, lists_only: bool) -> None:
    """One repetition, in empty servers."""
    with tempfile.TemporaryDirectory(prefix="plan-figures-") as name, private_postgres() as (url, postgres):
        folder = Path(name)
        with sample_sites(sites) as (hosts, connect_to), EmbeddedRedis(folder / "redis") as redis:
            settings = Settings(
                data_dir=folder,
                store_url=SecretStr(url),
                redis_url=SecretStr(redis.url),
                min_delay=0,
                allow_private_network=True,
                connect_to=json.loads(connect_to),
            )
            companies = [Company(id=name, name=name, domain=host, url=f"http://{host}/") for name, host in hosts]
            with wiring.opened(settings) as parts:
                world = World(settings, companies, parts, postgres, url)
                if not lists_only:
                    measure_sites(world, redis, figures)
                measure_commits(world, figures)
                measure_listing(world, figures)
                measure_index(world, figures)
                measure_tls(folder, figures)


def measure_sites(world: World, redis: EmbeddedRedis, figures: Figures) -> None:
    """All that takes real sites: crawl, queue, reading, scoring, second crawl."""
    warm(world)
    run = measure_crawl(world, figures)
    store = world.parts.store
    records = [record for company in world.companies if (record := store.site(run.id, company.id))]
    reader = wiring.present_reader_id(world.settings, store)
    tasks = [SectionTask.build(section, reader) for record in records for section in record.sections]
    measure_queue(tasks, redis, world.settings, figures)
    measure_reading(world, run, figures)
    measure_reader(world, run, figures)
    measure_scoring(world, run, figures)
    measure_recrawl(world, figures, table_bytes(world.url))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=Path, default=SAMPLE, help="folder of one folder per site")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions (default 3)")
    parser.add_argument("--lists-only", action="store_true", help="only what takes no site: long lists, commits, TLS")
    arguments = parser.parse_args()
    figures: Figures = defaultdict(list)
    load = os.getloadavg()[0]
    for _ in range(arguments.repeat):
        once(arguments.sites, figures, arguments.lists_only)
    print(f"# {platform.machine()}, {os.cpu_count()} cores, load {load:.1f} before, {os.getloadavg()[0]:.1f} after")
    for name, values in figures.items():
        middle = statistics.median(values)
        print(f"{name} = {middle:.6g}  # least {min(values):.6g}, most {max(values):.6g}")


if __name__ == "__main__":
    main()
