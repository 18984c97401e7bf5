"""Writers for the tests of concurrency and death; run as `python store_writing.py URL NAME COUNT`."""

from __future__ import annotations

import sys

import store_examples as make

from credit_signals.store import SqlStore

FETCHES = 5


def write_sites(url: str, name: str, count: int) -> None:
    """Record sites, each with its fetches, sections, plan and predictions; all writers share half of the rows."""
    store = SqlStore(url)
    store.migrate()
    store.start_run(make.run(), [], [])
    for number in range(count):
        owner = f"{name}-{number}" if number % 2 else f"shared-{number}"
        write_site(store, owner)
        print(owner, flush=True)
    store.close()


def write_site(store: SqlStore, owner: str) -> None:
    """One company's site, from fetch to prediction."""
    store.save_fetches("run-1", [make.fetch(f"https://{owner}.example/{page}", owner=owner) for page in range(FETCHES)])
    tasks = [make.task(f"{owner} says {line}.", owner) for line in range(FETCHES)]
    store.save_site(make.site(owner=owner, sections=tuple(task.section for task in tasks)))
    store.plan_tasks("run-1", owner, tasks, reread=False)
    store.mark_queued([task.id for task in tasks])
    store.save_predictions([make.prediction(task) for task in tasks])


if __name__ == "__main__":
    write_sites(sys.argv[1], sys.argv[2], int(sys.argv[3]))
