"""How a run comes to its end whatever was lost on the way."""

from __future__ import annotations

from pipeline_world import MILL, World, section

from credit_signals import pipeline
from credit_signals.domain import Section
from credit_signals.task_queue import MemoryQueue

GOOD = section("/a", "We filed for insolvency.")
BAD = section("/b", "This is unreadable.")


def test_what_an_emptied_queue_lost_is_queued_again(world: World) -> None:
    """A broker that forgot everything delays a run and does not end it early."""
    run = world.crawled(GOOD)
    world.queue = MemoryQueue(options=world.queue.options)
    assert pipeline.settle(run.id, world.store, world.queue).unread == 1
    assert world.queue.status().lag == 1
    world.work()
    assert pipeline.settle(run.id, world.store, world.queue).unread == 0


def test_what_still_waits_is_not_queued_twice(world: World) -> None:
    """Looking at a run that goes on adds nothing to the queue."""
    run = world.crawled(GOOD)
    for _ in range(3):
        pipeline.settle(run.id, world.store, world.queue)
    assert world.queue.status().length == 1


def test_a_dead_letter_whose_worker_died_before_noting_it_ends_the_run(world: World) -> None:
    """The queue's dead letters reach the store even when no worker is left to carry them."""
    run = world.crawled(BAD)
    for _ in range(2):
        (delivery,) = world.queue.take(1, 1)
        world.queue.fail(delivery, "the model could not read it")
    assert world.store.unread(run.id) == 1
    progress = pipeline.settle(run.id, world.store, world.queue)
    assert (progress.unread, progress.dead) == (0, 1)


def test_a_crash_between_plan_and_queue_is_swept_up(world: World) -> None:
    """Sections planned and never queued are queued by the sweep, once."""
    run = world.crawled(GOOD, queued=False)
    assert world.queue.status().length == 0
    assert pipeline.sweep_unqueued(run.id, world.store, world.queue) == 1
    assert pipeline.sweep_unqueued(run.id, world.store, world.queue) == 0
    assert world.queue.status().length == 1


def test_a_second_run_queues_only_what_changed(world: World) -> None:
    """Text that was read keeps its answer; only a new text costs a reading."""
    world.crawled(GOOD)
    world.work()
    run = world.crawled(GOOD, section("/new", "We make flour."))
    assert world.queue.status().length == 1
    world.work()
    assert world.store.unread(run.id) == 0
    assert world.reader.read_sections == 2


def test_rereading_queues_everything_again(world: World) -> None:
    """A run that asks for it reads known text once more, and waits for the new answer."""
    world.crawled(GOOD)
    world.work()
    run = world.crawled(GOOD, reread=True)
    assert world.store.unread(run.id) == 1
    world.work()
    assert world.store.unread(run.id) == 0
    assert world.reader.read_sections == 2


def test_a_company_enqueued_twice_is_read_once(world: World) -> None:
    """A repeated crawl step neither doubles a run's tasks nor its answers."""
    run = world.crawled(GOOD)
    record = world.store.site(run.id, MILL.id)
    assert record is not None
    pipeline.enqueue_company(run, record, world.tools(world.queue))
    world.work()
    assert world.store.progress(run.id).tasks == 1
    assert len(world.store.predictions(run.id, MILL.id)) == 1


def test_equal_text_of_two_pages_is_one_task(world: World) -> None:
    """The same words on two pages are read once and answer for both."""
    twin = Section.build(**GOOD.model_dump(exclude={"id", "content_hash", "url"}), url="https://mill.example/copy")
    run = world.crawled(GOOD, twin)
    assert world.work() == {"read": 1}
    assert world.score(run).unread_sections == {}
