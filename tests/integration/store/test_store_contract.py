"""What every store promises."""

from __future__ import annotations

from dataclasses import replace

import pytest
import store_examples as make

from credit_signals.domain import Budget, FetchStatus, Rejection, RunOverview, SiteStatus, Wanted
from credit_signals.errors import EvidenceMismatch, StoreError
from credit_signals.store.base import ResultsStore, SignalChange, shard_of


def opened(store: ResultsStore, *names: str, run_id: str = "run-1", at: float = 0, reread: bool = False) -> None:
    """A run over companies."""
    store.start_run(make.run(run_id, at, reread), [make.company(name) for name in names or ("acme",)], [])


def test_a_run_comes_back_as_it_was_started(store: ResultsStore) -> None:
    """Run, companies and rejections come back unchanged, the budget and further columns included."""
    run = make.run().model_copy(update={"budget": Budget(pages=3), "reread": True, "reader_id": "1-a"})
    listed = make.company("acme", country="GB").model_copy(update={"extra": {"sector": "\x00odd \x10 ü 😀"}})
    refused = [Rejection(line=3, reason="no domain"), Rejection(line=2, reason="bad\x00URL")]
    store.start_run(run, [listed], refused)
    assert (store.run("run-1"), store.latest_run()) == (run, run)
    assert store.companies("run-1") == [listed]
    assert store.rejections("run-1") == refused
    assert store.find_company("acme.example") == listed


def test_an_unknown_thing_is_none(store: ResultsStore) -> None:
    """Asking for what is not there gives None, an empty list or zero, never an error."""
    nothing = [store.run("x"), store.latest_run(), store.site("x", "y")]
    nothing += [store.report("x", "y"), store.section("x"), store.find_company("x")]
    assert nothing == [None] * len(nothing)
    empty = [
        store.companies("x"),
        store.fetches("x", "y"),
        store.signals("y"),
        store.reports("x"),
        store.rejections("x"),
    ]
    assert empty == [[]] * 5
    assert store.unread("x") == store.progress("x").tasks == store.queued_count("x") == 0


def test_starting_a_run_again_adds_nothing(store: ResultsStore) -> None:
    """A run that is opened twice keeps its first list."""
    opened(store, "acme")
    store.start_run(make.run(), [make.company("acme"), make.company("other")], [Rejection(line=2, reason="late")])
    assert [each.id for each in store.companies("run-1")] == ["acme"]
    assert store.rejections("run-1") == []


def test_shards_divide_the_companies(store: ResultsStore) -> None:
    """Every company is in exactly one shard, the one of its domain, and each shard is ordered by domain."""
    opened(store, *(f"firm{number}" for number in range(30)))
    shards = [store.companies("run-1", shard, 3) for shard in range(3)]
    assert sorted(each.id for shard in shards for each in shard) == sorted(f"firm{number}" for number in range(30))
    for number, shard in enumerate(shards):
        assert [each.domain for each in shard] == sorted(each.domain for each in shard)
        assert {shard_of(each.domain, 3) for each in shard} == {number}


def test_a_company_is_known_as_last_listed_and_a_run_as_it_was(store: ResultsStore) -> None:
    """A later list renames a company for the future, not in the runs before it."""
    store.start_run(make.run("new", at=5), [make.company("acme", name="New")], [])
    store.start_run(make.run("old", at=0), [make.company("acme", name="Old")], [])
    store.start_run(make.run("moved", at=6), [make.company("id-2", domain="acme.example", name="Moved")], [])
    assert [each.name for each in store.companies("old")] == ["Old"]
    found = store.find_company("acme.example")
    assert found is not None
    assert found.name == "Moved"
    assert [each.id for each in store.due_companies(make.day(9))] == ["id-2"]


def test_due_companies_wait_longest_first(store: ResultsStore) -> None:
    """Never crawled comes first, then the longest ago; a fresh crawl is not due."""
    opened(store, "never", "long", "short", "fresh")
    for name, at in (("long", 1.0), ("short", 2.0), ("fresh", 8.0)):
        store.save_site(make.site(owner=name, at=at))
    assert [each.id for each in store.due_companies(make.day(5))] == ["never", "long", "short"]
    assert [each.id for each in store.due_companies(make.day(5), limit=2)] == ["never", "long"]


def test_fetches_keep_their_order_and_the_last_outcome(store: ResultsStore) -> None:
    """One row per URL, the outcome fetched last, in the order of fetching."""
    opened(store)
    home, news = "https://acme.example/", "https://acme.example/news"
    early = make.fetch(news, 0.2, FetchStatus.BUDGET_SPENT)
    late = make.fetch(news, 0.4)
    store.save_fetches("run-1", [late, make.fetch(home, 0.3)])
    store.save_fetches("run-1", [early])
    store.save_fetches("run-1", [])
    assert store.fetches("run-1", "acme") == [make.fetch(home, 0.3), late]


def test_the_archive_is_found_again(store: ResultsStore) -> None:
    """The newest OK response in the archive counts, whichever run fetched it; other outcomes do not hide it."""
    home = "https://acme.example/"
    for name, at in (("run-1", 0), ("run-2", 1), ("run-3", 2)):
        opened(store, run_id=name, at=at)
    newest = make.fetch(home, 1.1, file="b.warc.gz")
    store.save_fetches("run-2", [newest])
    store.save_fetches("run-1", [make.fetch(home, 0.1, file="a.warc.gz")])
    store.save_fetches("run-3", [make.fetch(home, 2.1, FetchStatus.NOT_MODIFIED)])
    store.save_fetches("run-3", [make.fetch(home + "x", 2.1, FetchStatus.HTTP_ERROR, file="c.warc.gz")])
    assert store.archived_fetches("acme") == {home: newest}
    assert store.archive_files_in_use() == {"a.warc.gz", "b.warc.gz", "c.warc.gz"}


def test_hostile_text_survives(store: ResultsStore) -> None:
    """A URL of 100 kB, NUL bytes, escapes and astral letters come back as they were, so that offsets stay true."""
    opened(store)
    long_fetch = make.fetch("https://acme.example/?q=" + "a" * 100_000)
    odd = make.section("a\x00b \x100000 \x10 😀 é e\u0301 \ufffe'; DROP TABLE runs; -- %s :x {}" + "ß" * 200_000)
    record = replace(make.site(sections=(odd,)), reason="lone \ud800 surrogate\x00")
    store.save_fetches("run-1", [long_fetch])
    store.save_site(record)
    assert store.fetches("run-1", "acme") == [long_fetch]
    assert store.site("run-1", "acme") == record
    assert store.section(odd.id) == odd


def test_a_site_is_recorded_once_and_whole(store: ResultsStore) -> None:
    """Graph, facts, drops and sections come back in order; a second record of the same run changes nothing."""
    opened(store)
    record = make.site(sections=(make.section("Second."), make.section("First.")))
    store.save_site(record)
    store.save_site(make.site(status=SiteStatus.FAILED))
    assert store.site("run-1", "acme") == record
    bare = replace(make.site(owner="bare"), graph=None, facts=(), dropped=())
    store.save_site(bare)
    assert store.site("run-1", "bare") == bare


def test_only_what_is_unread_is_planned(store: ResultsStore) -> None:
    """A task comes back until its prediction is saved, each content once; then no run queues it again."""
    opened(store)
    one, two = make.task("One."), make.task("Two.")
    assert store.plan_tasks("run-1", "acme", [one, two, one], reread=False) == [one, two]
    assert store.unread("run-1") == 2
    store.save_predictions([make.prediction(one)])
    assert store.plan_tasks("run-1", "acme", [one, two], reread=False) == [two]
    store.save_predictions([make.prediction(two)])
    opened(store, run_id="run-2", at=1)
    assert store.plan_tasks("run-2", "acme", [one, two], reread=False) == []
    assert store.predictions("run-2", "acme").keys() == {one.section.content_hash, two.section.content_hash}
    assert store.unread("run-2") == store.queued_count("run-2") == 0


def test_runs_and_companies_share_a_task_in_flight(store: ResultsStore) -> None:
    """One prediction completes every run and company that waits for the same content."""
    opened(store, "acme", "twin")
    opened(store, "acme", run_id="run-2", at=1)
    ours, theirs = make.task(), make.task(owner="twin")
    assert ours.id == theirs.id
    store.plan_tasks("run-1", "acme", [ours], reread=False)
    assert store.plan_tasks("run-1", "twin", [theirs], reread=False) == [theirs]
    assert store.plan_tasks("run-2", "acme", [ours], reread=False) == [ours]
    assert len(store.unread_tasks("run-1")) == 1
    store.save_predictions([make.prediction(ours)])
    assert store.unread("run-1") == store.unread("run-2") == 0
    assert store.predictions("run-1", "twin") == store.predictions("run-2", "acme")


def test_a_reread_waits_for_a_new_answer(store: ResultsStore) -> None:
    """With `reread` an older answer does not count, a late one from before the run neither; the newest is used."""
    opened(store)
    one = make.task()
    store.plan_tasks("run-1", "acme", [one], reread=False)
    store.save_predictions([make.prediction(one, at=0.5)])
    opened(store, run_id="again", at=2, reread=True)
    assert store.plan_tasks("again", "acme", [one], reread=True) == [one]
    store.save_predictions([make.prediction(one, at=1.9)])
    assert (store.unread("again"), store.unread("run-1")) == (1, 0)
    newest = make.prediction(one, at=2.5, unread_reason="language:de")
    store.save_predictions([newest])
    assert store.unread("again") == 0
    assert store.predictions("again", "acme") == {one.section.content_hash: newest}
    assert store.plan_tasks("again", "acme", [one], reread=True) == []


def test_a_prediction_is_stored_once(store: ResultsStore) -> None:
    """A task that was delivered twice keeps its first answer."""
    opened(store)
    one = make.task()
    store.plan_tasks("run-1", "acme", [one], reread=False)
    store.save_predictions([make.prediction(one, at=0.5), make.prediction(one, at=0.6)])
    store.save_predictions([make.prediction(one, at=0.7, unread_reason="late")])
    assert store.predictions("run-1", "acme") == {one.section.content_hash: make.prediction(one, at=0.5)}


def test_what_is_answered_needs_no_reader(store: ResultsStore) -> None:
    """A worker is told which tasks to pass over: never one that a run with `reread` waits for; plans are completed."""
    opened(store)
    one, two, unplanned = (make.task(text) for text in ("One.", "Two.", "Three."))
    store.plan_tasks("run-1", "acme", [one, two], reread=False)
    ids = [one.id, two.id, unplanned.id, one.id]
    assert store.answered(ids) == store.answered([]) == set()
    store.save_predictions([make.prediction(one), make.prediction(unplanned)])
    assert store.answered(ids) == {one.id, unplanned.id}
    assert store.unread("run-1") == 1
    opened(store, run_id="again", at=2, reread=True)
    store.plan_tasks("again", "acme", [one], reread=True)
    assert store.answered(ids) == {unplanned.id}
    store.save_predictions([make.prediction(one, at=2.5)])
    assert store.answered(ids) == {one.id, unplanned.id}


def test_a_prediction_may_come_before_its_plan(store: ResultsStore) -> None:
    """An answer to a task that nobody planned is kept for the run that plans it."""
    opened(store)
    one = make.task()
    store.save_predictions([make.prediction(one)])
    assert store.plan_tasks("run-1", "acme", [one], reread=False) == []
    assert store.progress("run-1").read == 1


def test_what_a_crash_left_unqueued_is_found(store: ResultsStore) -> None:
    """Planned tasks stay unqueued until they are marked, and unread until they are read."""
    opened(store)
    one, two, three = (make.task(text) for text in ("One.", "Two.", "Three."))
    store.plan_tasks("run-1", "acme", [one, two, three], reread=False)
    store.mark_queued([one.id, one.id])
    store.save_predictions([make.prediction(two)])
    assert store.unqueued_tasks("run-1") == [three]
    assert {each.id for each in store.unread_tasks("run-1")} == {one.id, three.id}
    assert store.queued_count("run-1") == 1
    store.mark_queued([])


def test_an_answer_that_overtakes_the_mark_was_still_queued(store: ResultsStore) -> None:
    """A worker may read a task before its crawler has marked it queued; it counts, and only for the run it was for."""
    opened(store)
    one = make.task()
    store.plan_tasks("run-1", "acme", [one], reread=False)
    store.save_predictions([make.prediction(one)])
    opened(store, run_id="run-2", at=1)
    store.plan_tasks("run-2", "acme", [one], reread=False)
    store.mark_queued([one.id])
    assert (store.queued_count("run-1"), store.queued_count("run-2")) == (1, 0)


def test_a_dead_task_ends_its_run_and_a_new_run_tries_again(store: ResultsStore) -> None:
    """Dead counts as done; a later prediction clears it, and a plan made after the failure is a new attempt."""
    opened(store)
    one, two = make.task("One."), make.task("Two.")
    store.plan_tasks("run-1", "acme", [one, two], reread=False)
    store.mark_dead(one.id, "model error")
    store.mark_dead(one.id, "again")
    store.mark_dead("unknown", "whatever")
    counts = store.progress("run-1")
    assert (counts.tasks, counts.read, counts.dead, counts.unread, store.unread("run-1")) == (2, 0, 1, 1, 1)
    assert store.plan_tasks("run-1", "acme", [one, two], reread=False) == [two]
    opened(store, run_id="run-2", at=1)
    assert store.plan_tasks("run-2", "acme", [one], reread=False) == [one]
    store.mark_dead(one.id, "model error", failed_at=make.day(-9000))
    assert store.progress("run-2").dead == 0
    store.save_predictions([make.prediction(one)])
    assert (store.progress("run-1").dead, store.progress("run-1").read, store.unread("run-2")) == (0, 1, 0)
    store.mark_dead(one.id, "late letter")
    assert store.progress("run-1").dead == 0


def test_progress_counts_sites_by_status(store: ResultsStore) -> None:
    """Crawled companies are counted by what became of their sites, and the latest crawl is known."""
    opened(store, "a", "b", "c", "d")
    assert store.progress("run-1").last_crawl is None
    store.save_site(make.site(owner="a"))
    store.save_site(make.site(owner="b"))
    store.save_site(make.site(owner="c", status=SiteStatus.PARKED))
    counts = store.progress("run-1")
    assert (counts.companies, counts.crawled, counts.statuses) == (4, 3, {"read": 2, "parked": 1})
    sites = [store.site("run-1", owner) for owner in "abc"]
    assert counts.last_crawl == max(site.crawled_at for site in sites if site)


def test_a_false_quote_is_refused(store: ResultsStore) -> None:
    """A quote that is not the stored text at its offsets is refused, and nothing of the batch is kept."""
    opened(store)
    told = make.section()
    store.save_site(make.site(sections=(told,)))
    good = make.signal(told)
    for change in ({"quote": "We cut fifty jobs."}, {"start": 1}, {"end": 999}, {"start": -5}, {"section_id": "none"}):
        bad = good.model_copy(update={"id": "bad", "evidence": good.evidence.model_copy(update=change)})
        with pytest.raises(EvidenceMismatch, match="bad"):
            store.save_signals([good, bad])
    assert store.signals("acme") == []
    assert store.signal_events("acme") == []


def test_a_signal_keeps_its_whole_life(store: ResultsStore) -> None:
    """First seen never moves later, last seen never earlier; withdrawal and return are kept as history."""
    opened(store)
    told = make.section()
    store.save_site(make.site(sections=(told,)))
    store.save_signals([make.signal(told, first=2, last=2)])
    store.save_signals([make.signal(told, first=2, last=2, withdrawn=4)])
    store.save_signals([make.signal(told, first=6, last=6, confidence=0.9)])
    store.save_signals([make.signal(told, first=1, last=1, confidence=0.1)])
    assert store.signals("acme") == [make.signal(told, first=1, last=6, confidence=0.9)]
    changes = [(event.change, event.at) for event in store.signal_events("acme")]
    assert changes == [
        (SignalChange.SEEN, make.day(2)),
        (SignalChange.WITHDRAWN, make.day(4)),
        (SignalChange.RETURNED, make.day(6)),
    ]


def test_the_newest_report_is_given(store: ResultsStore) -> None:
    """Scoring a run again gives the new report; reports come by domain."""
    opened(store, "acme", "zeta")
    store.save_report(make.report(owner="zeta"))
    store.save_report(make.report(pages=1))
    store.save_report(make.report(pages=2))
    store.save_report(make.report(pages=2))
    assert store.report("run-1", "acme") == make.report(pages=2)
    assert store.reports("run-1") == [make.report(pages=2), make.report(owner="zeta")]


def judged(store: ResultsStore) -> None:
    """A run of companies with and without a gauge."""
    told = make.section()
    signals = (make.signal(told, first=1, last=1), make.signal(make.section("Gone."), first=1, last=1, withdrawn=2))
    store.start_run(make.run(), [], [Rejection(line=number, reason="no domain") for number in (1, 2, 3)])
    for key, value in (("zeta", 70), ("fine", 90), ("acme", 70), ("none", 0), ("worst", 5)):
        report = make.report(owner=key, gauge=value)
        status = SiteStatus.READ if value else SiteStatus.PARKED
        found = signals if key == "worst" else ()
        store.save_report(report.model_copy(update={"signals": found, "status": status}))


def test_companies_are_listed_by_pages(store: ResultsStore) -> None:
    """Worst first, equal ones by domain, those without a gauge last; pages join without a gap."""
    judged(store)
    pages = [store.find_reports("run-1", Wanted(), offset, 2) for offset in (0, 2, 4, 6)]
    names = [[report.company.id for report in page] for page in pages]
    assert names == [["worst", "acme"], ["zeta", "fine"], ["none"], []]
    assert pages[0][0] == store.report("run-1", "worst")
    assert store.find_reports("run-2", Wanted(), 0, 9) == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"text": "  ZETA.Ex "}, ["zeta"]),
        ({"text": "e"}, ["worst", "acme", "zeta", "fine", "none"]),
        ({"text": "%"}, []),
        ({"text": "z_ta"}, []),
        ({"text": "a\x00"}, []),
        ({"band": "band 7"}, ["acme", "zeta"]),
        ({"band": "not judged"}, ["none"]),
        ({"status": "parked"}, ["none"]),
        ({"status": "read", "text": "ne.", "band": "band 9"}, ["fine"]),
        ({"code": "layoffs"}, ["worst"]),
        ({"code": "layoff"}, []),
    ],
)
def test_companies_are_sought(store: ResultsStore, wanted: dict[str, str], found: list[str]) -> None:
    """By a part of name or domain, band, status and standing signal, all at once; what is counted is what is found."""
    judged(store)
    chosen = Wanted(**wanted)
    assert [report.company.id for report in store.find_reports("run-1", chosen, 0, 9)] == found
    assert store.count_reports("run-1", chosen) == len(found)


def test_a_run_is_counted(store: ResultsStore) -> None:
    """Companies and standing signals by band and status, the lowest gauge of each, and refused lines."""
    judged(store)
    overview = store.overview("run-1")
    groups = [(each.band, each.status, each.companies, each.signals, each.lowest) for each in overview.groups]
    read = SiteStatus.READ
    assert groups == [
        ("band 0", read, 1, 1, 5),
        ("band 7", read, 2, 0, 70),
        ("band 9", read, 1, 0, 90),
        ("not judged", SiteStatus.PARKED, 1, 0, None),
    ]
    assert (overview.companies, overview.signals, overview.rejected) == (5, 1, 3)
    assert [each.line for each in store.rejections("run-1", 2)] == [1, 2]
    assert store.overview("run-2") == RunOverview()


def test_a_company_scored_again_is_listed_once(store: ResultsStore) -> None:
    """The list has the newest report of a company, and other runs are not touched."""
    judged(store)
    opened(store, run_id="run-2", at=1)
    store.save_report(make.report("run-2", gauge=50))
    store.save_report(make.report(gauge=99))
    found = store.find_reports("run-1", Wanted(), 0, 9)
    assert [report.company.id for report in found] == ["worst", "zeta", "fine", "acme", "none"]
    assert store.overview("run-1").companies == 5
    assert [each.gauge.value for each in store.find_reports("run-2", Wanted(), 0, 9) if each.gauge] == [50]


def test_a_write_needs_its_run(store: ResultsStore) -> None:
    """What names a run that was never started is refused."""
    for write in (
        lambda: store.save_fetches("none", [make.fetch()]),
        lambda: store.save_site(make.site("none")),
        lambda: store.plan_tasks("none", "acme", [make.task()], reread=False),
        lambda: store.save_report(make.report("none")),
    ):
        with pytest.raises(StoreError, match="none"):
            write()


def test_retention_keeps_what_still_counts(store: ResultsStore) -> None:
    """Old runs go; the newest record of a company, quoted sections and responses still standing for pages stay."""
    home, gone = "https://acme.example/", "https://acme.example/gone"
    quoted, stale, present = make.section("Quoted."), make.section("Stale."), make.section("Present.")
    opened(store, "acme", run_id="old", at=0)
    store.save_fetches("old", [make.fetch(home, 0.1, file="a.warc.gz"), make.fetch(gone, 0.1, file="b.warc.gz")])
    store.save_site(make.site("old", sections=(quoted, stale)))
    tasks = [make.task("Quoted."), make.task("Stale.")]
    store.plan_tasks("old", "acme", tasks, reread=False)
    store.save_predictions([make.prediction(each) for each in tasks])
    store.save_signals([make.signal(quoted)])
    store.save_report(make.report("old"))
    opened(store, "acme", "rare", run_id="mid", at=10)
    store.save_site(make.site("mid", at=10.2, sections=(present,)))
    store.save_site(make.site("mid", owner="rare", at=10.2))
    opened(store, "acme", run_id="new", at=20)
    store.save_fetches("new", [make.fetch(home, 20.1, FetchStatus.NOT_MODIFIED)])
    store.save_site(make.site("new", at=20.2, sections=(present,)))
    opened(store, "acme", run_id="last", at=30)
    store.save_report(make.report("mid"))

    assert store.delete_runs_before(make.day(31)) == 1
    assert (store.run("old"), store.report("old", "acme"), store.site("old", "acme")) == (None, None, None)
    assert store.site("mid", "acme") is None
    assert store.site("mid", "rare") is not None
    assert store.report("mid", "acme") == make.report("mid")
    assert store.site("new", "acme") == make.site("new", at=20.2, sections=(present,))
    assert store.run("last") is not None
    assert (store.section(quoted.id), store.section(stale.id)) == (quoted, None)
    assert store.signals("acme") == [make.signal(quoted)]
    assert store.archived_fetches("acme").keys() == {home}
    assert store.archive_files_in_use() == {"a.warc.gz"}
    assert store.plan_tasks("last", "acme", tasks, reread=False) == [tasks[1]]
    assert store.delete_runs_before(make.day(31)) == 0
