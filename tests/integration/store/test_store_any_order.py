"""Any order and any repetition of the same writes gives the same state, and the twin gives that state too."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import store_examples as make
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit_signals.domain import FetchStatus
from credit_signals.store import MemoryStore, SqlStore
from credit_signals.store.base import ResultsStore

HOME = "https://acme.example/"
TOLD = make.section("We cut forty jobs.")
TASKS = [make.task("We cut forty jobs."), make.task("We hire.")]
Write = Callable[[ResultsStore], Any]

WRITES: list[Write] = [
    lambda store: store.save_fetches("run-1", [make.fetch(HOME, 0.1, file="a.warc.gz")]),
    lambda store: store.save_fetches("run-1", [make.fetch(HOME, 0.2, FetchStatus.HTTP_ERROR), make.fetch(HOME + "x")]),
    lambda store: store.save_fetches("run-2", [make.fetch(HOME, 1.2, file="b.warc.gz")]),
    lambda store: store.save_site(make.site(sections=(TOLD,))),
    lambda store: store.save_site(make.site("run-2", at=1.3, sections=(TOLD, TASKS[1].section))),
    lambda store: store.plan_tasks("run-1", "acme", TASKS, reread=False),
    lambda store: store.plan_tasks("run-2", "acme", TASKS[:1], reread=False),
    lambda store: store.save_predictions([make.prediction(TASKS[0])]),
    lambda store: store.save_predictions([make.prediction(each) for each in TASKS]),
    lambda store: store.save_signals([make.signal(TOLD, first=1, last=1)]),
    lambda store: store.save_signals([make.signal(TOLD, first=1, last=1, withdrawn=2)]),
    lambda store: store.save_signals([make.signal(TOLD, first=3, last=4, confidence=0.9)]),
    lambda store: store.start_run(make.run("run-2", at=1), [make.company(name="Other")], []),
]


def prepared(store: ResultsStore) -> ResultsStore:
    """A store with two runs and the section that signals quote."""
    store.migrate()
    store.start_run(make.run(), [make.company()], [])
    store.start_run(make.run("run-2", at=1), [make.company(name="Acme plc")], [])
    store.start_run(make.run("run-0", at=-1), [], [])
    store.save_site(make.site("run-0", at=-1, sections=(TOLD,)))
    return store


def state(store: ResultsStore) -> list[Any]:
    """All that can be read of the two runs."""
    runs = ("run-1", "run-2")
    return [
        store.find_company("acme.example"),
        store.due_companies(make.day(1.1)),
        [store.companies(run) for run in runs],
        [store.fetches(run, "acme") for run in runs],
        [store.site(run, "acme") for run in runs],
        [store.progress(run) for run in runs],
        [store.predictions(run, "acme") for run in runs],
        store.archived_fetches("acme"),
        store.archive_files_in_use(),
        store.signals("acme"),
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    order=st.permutations(range(len(WRITES))),
    again=st.lists(st.sampled_from(range(len(WRITES))), max_size=6),
)
def test_order_and_repetition_do_not_matter(order: list[int], again: list[int]) -> None:
    """A crashed and restarted run ends where an undisturbed one does."""
    expected = prepared(MemoryStore())
    for write in WRITES:
        write(expected)
    with tempfile.TemporaryDirectory() as folder:
        stores = [MemoryStore(), SqlStore(f"sqlite:///{Path(folder) / 'store.db'}")]
        for store in map(prepared, stores):
            for number in [*order, *again]:
                WRITES[number](store)
            assert state(store) == state(expected)
            store.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("plan"), st.sampled_from(["run-1", "run-2", "again"]), st.integers(0, 2)),
            st.tuples(st.just("read"), st.sampled_from([0.5, 3.5, 4.5]), st.integers(0, 2)),
            st.tuples(st.just("dead"), st.just(""), st.integers(0, 2)),
            st.tuples(st.just("queued"), st.just(""), st.integers(0, 2)),
        ),
        max_size=25,
    )
)
def test_the_twin_keeps_the_same_tasks(steps: list[tuple[str, Any, int]]) -> None:
    """Whatever is planned, queued, read or given up in whatever order, memory and SQL count the same."""
    tasks = [make.task(f"Text {number}.") for number in range(3)]
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        for store in (MemoryStore(), SqlStore(f"sqlite:///{Path(folder) / 'store.db'}")):
            prepared(store)
            store.start_run(make.run("again", at=3, reread=True), [make.company()], [])
            given_back = [_step(store, tasks[number], kind, detail) for kind, detail, number in steps]
            runs = ("run-1", "run-2", "again")
            counts = [(store.progress(run), store.unread(run), store.queued_count(run)) for run in runs]
            lists = [(store.unqueued_tasks(run), store.unread_tasks(run)) for run in runs]
            answers = [store.predictions(run, "acme") for run in runs]
            seen.append((given_back, counts, lists, answers))
            store.close()
    assert seen[0] == seen[1]


def _step(store: ResultsStore, task: Any, kind: str, detail: Any) -> Any:
    if kind == "plan":
        return store.plan_tasks(detail, "acme", [task], reread=detail == "again")
    if kind == "read":
        return store.save_predictions([make.prediction(task, at=detail)])
    if kind == "dead":
        return store.mark_dead(task.id, "model error")
    return store.mark_queued([task.id])
