"""What every task queue does, whichever broker holds it."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from queue_brokers import Broker, make_task, make_tasks, until

from credit_signals.domain import now
from credit_signals.errors import QueueError
from credit_signals.task_queue import Delivery, TaskQueue

SOON = 0.03  # an idle time that tests can wait for


def _texts(deliveries: list[Delivery]) -> list[str]:
    return [delivery.task.section.text for delivery in deliveries]


def test_tasks_come_in_order_and_are_gone_when_acknowledged(broker: Broker) -> None:
    """A task travels unchanged, the oldest first, and leaves nothing behind."""
    queue, tasks = broker.queue(), make_tasks(7)
    queue.put(tasks)
    first, rest = queue.take(3, 0), queue.take(100, 0)
    assert [d.task for d in first + rest] == tasks
    assert {d.attempts for d in first + rest} == {1}
    queue.ack(first)
    assert queue.status().length == 4
    queue.ack(rest)
    status = queue.status()
    assert (status.length, status.lag, status.pending, status.oldest_seconds) == (0, 0, 0, 0.0)


def test_a_trace_travels_with_its_task(broker: Broker) -> None:
    """A task comes with the trace it was put with, also after a second chance; most have none."""
    queue = broker.queue(max_attempts=1)
    traced, plain = make_tasks(2)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    queue.put([traced, plain], traces={traced.id: trace, "another": "00-1"})
    first, second = queue.take(2, 0)
    assert (first.task, first.trace, second.task, second.trace) == (traced, trace, plain, "")
    queue.fail(first, "broken")
    queue.fail(second, "broken")
    assert queue.retry_dead() == 2
    assert [delivery.trace for delivery in queue.take(2, 0)] == [trace, ""]


def test_nothing_in_nothing_out(broker: Broker) -> None:
    """Empty calls are harmless and touch no entry."""
    queue = broker.queue()
    queue.put([])
    queue.ack([])
    queue.release([])
    queue.extend([])
    assert queue.take(5, 0) == []
    queue.put(make_tasks(1))
    assert queue.take(0, 0) == []
    assert queue.dead_letters(0) == []
    assert queue.retry_dead() == queue.purge_dead() == 0
    assert queue.status().lag == 1


def test_the_counts_tell_waiting_held_and_dead_apart(broker: Broker) -> None:
    """The status is what an operator and a scaler steer by."""
    queue = broker.queue(max_attempts=1)
    queue.put(make_tasks(5))
    first, *_ = queue.take(3, 0)
    queue.fail(first, "broken")
    broker.queue("b").take(1, 0)
    status = queue.status()
    assert (status.length, status.lag, status.pending, status.dead, status.consumers) == (4, 1, 3, 1, 2)
    assert 0 <= status.oldest_seconds < 60


def test_consumers_share_the_work_without_doubling_it(broker: Broker) -> None:
    """With everyone alive, each task is read once."""
    tasks = make_tasks(300)
    queues = [broker.queue(f"reader-{number}") for number in range(4)]

    def read(queue: TaskQueue) -> list[str]:
        ids: list[str] = []
        while deliveries := queue.take(7, 0.2):
            ids += [delivery.task.id for delivery in deliveries]
            queue.ack(deliveries)
        return ids

    with ThreadPoolExecutor(4) as pool:
        reading = [pool.submit(read, queue) for queue in queues]
        queues[0].put(tasks)
        counts = Counter(task_id for result in reading for task_id in result.result())
    assert counts == Counter(task.id for task in tasks)


def test_take_waits_for_work(broker: Broker) -> None:
    """A waiting consumer gets what is put meanwhile, and an empty list when nothing came."""
    queue = broker.queue()
    assert queue.take(1, 0.05) == []
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(queue.take, 1, 20)
        broker.queue("b").put(make_tasks(1))
        assert len(waiting.result(10)) == 1


def test_the_work_of_a_dead_consumer_is_delivered_again(broker: Broker) -> None:
    """What was neither acknowledged nor renewed goes to another consumer, with its attempts counted."""
    broker.queue().put(make_tasks(2))
    lost = broker.queue("dead", idle_seconds=SOON).take(2, 0)
    found = until(lambda: broker.queue("alive", idle_seconds=SOON).take(2, 0))
    assert [d.task for d in found] == [d.task for d in lost]
    assert {d.attempts for d in found} == {2}


def test_closing_keeps_what_is_pending(broker: Broker) -> None:
    """A consumer that leaves with work in hand does not take it along."""
    leaving = broker.queue("leaving", idle_seconds=SOON)
    leaving.put(make_tasks(1))
    leaving.take(1, 0)
    leaving.close()
    assert until(lambda: broker.queue("next", idle_seconds=SOON).take(1, 0))[0].attempts == 2


def test_renewed_work_stays_with_its_consumer(broker: Broker) -> None:
    """Slow work is not delivered twice while it is renewed, and renewing counts no attempt."""
    slow, other = broker.queue("slow", idle_seconds=0.5), broker.queue("other", idle_seconds=0.5)
    slow.put(make_tasks(1))
    held = slow.take(1, 0)
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        slow.extend(held)
        assert other.take(1, 0) == []
        time.sleep(0.02)
    assert until(lambda: other.take(1, 0))[0].attempts == 2


def test_renewing_does_not_steal_back(broker: Broker) -> None:
    """A consumer that was taken for dead leaves the work to the one that has it now, but may still finish it."""
    late, new = broker.queue("late", idle_seconds=SOON), broker.queue("new", idle_seconds=SOON)
    late.put(make_tasks(1))
    held = late.take(1, 0)
    taken = until(lambda: new.take(1, 0))
    late.extend(held)
    late.release(held)
    assert late.fail(held[0], "too late") is False
    assert broker.queue("third").take(1, 0) == []
    new.extend(taken)
    late.ack(held)
    assert new.status().length == 0


def test_released_work_is_free_at_once_and_uncounted(broker: Broker) -> None:
    """A shutdown costs its tasks neither time nor an attempt."""
    leaving = broker.queue("leaving")
    leaving.put(make_tasks(3))
    for _ in range(5):
        held = leaving.take(3, 0)
        assert {d.attempts for d in held} == {1}
        leaving.release(held)
    assert len(broker.queue("next").take(3, 0)) == 3


def test_released_work_reaches_a_consumer_that_waits(broker: Broker) -> None:
    """A consumer in the middle of its wait sees what another hands back."""
    leaving, waiting = broker.queue("leaving"), broker.queue("waiting")
    leaving.put(make_tasks(1))
    held = leaving.take(1, 0)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(waiting.take, 1, 20)
        leaving.release(held)
        assert len(answer.result(10)) == 1


def test_a_failing_task_becomes_a_dead_letter_with_its_reason(broker: Broker) -> None:
    """After its last attempt a task is kept aside with the last reason, and the queue is free of it."""
    queue = broker.queue(max_attempts=3)
    [task] = make_tasks(1)
    queue.put([task])
    outcomes = [queue.fail(queue.take(1, 0)[0], f"error {number}") for number in range(3)]
    assert outcomes == [False, False, True]
    assert queue.status().length == 0
    [letter] = queue.dead_letters()
    assert (letter.task, letter.reason, letter.attempts) == (task, "error 2", 3)
    assert abs(letter.failed_at - now()) < timedelta(minutes=1)


def test_a_task_that_kills_its_readers_becomes_a_dead_letter(broker: Broker) -> None:
    """A task that nobody ever finished stops going round."""
    queue = broker.queue(max_attempts=2, idle_seconds=SOON)
    queue.put(make_tasks(1))
    for attempt in (1, 2):
        assert until(lambda: queue.take(1, 0))[0].attempts == attempt
    until(lambda: queue.take(1, 0) or queue.status().dead)
    [letter] = queue.dead_letters()
    assert (letter.reason, letter.attempts) == ("delivered 2 times, never finished", 2)
    assert queue.status().length == 0


def test_the_last_attempt_is_made_alone(broker: Broker) -> None:
    """Neighbours of a task that kills its readers are read, not buried with it."""
    queue = broker.queue(max_attempts=3, idle_seconds=SOON)
    tasks = make_tasks(4)
    queue.put(tasks)
    assert len(queue.take(4, 0)) == 4
    time.sleep(SOON)
    assert len(queue.take(4, 0)) == 4
    time.sleep(SOON)
    queue.put(make_tasks(1))
    batches: list[list[Delivery]] = []
    deadly = tasks[1].section.text
    while queue.status().length:
        deliveries = until(lambda: queue.take(4, 0) or queue.status().length == 0)
        if isinstance(deliveries, list):
            batches.append(deliveries)
            queue.ack([d for d in deliveries if d.task.section.text != deadly])
    assert all(len(batch) == 1 for batch in batches if batch[0].attempts == 3)
    assert [letter.task for letter in queue.dead_letters()] == [tasks[1]]


def test_new_work_is_taken_beside_much_work_in_hand(broker: Broker) -> None:
    """Many deliveries that living consumers hold do not hide new ones."""
    busy = broker.queue("busy")
    busy.put(make_tasks(500))
    assert len(busy.take(500, 0)) == 500
    busy.put([make_task("new")])
    assert _texts(broker.queue("idle").take(10, 0)) == ["new"]


def test_the_dead_among_much_work_in_hand_are_found(broker: Broker) -> None:
    """Looking for dead work goes on where the last look ended."""
    busy, dead = broker.queue("busy", idle_seconds=0.3), broker.queue("dead", idle_seconds=0.3)
    busy.put(make_tasks(400))
    held = busy.take(400, 0)
    busy.put([make_task("lost")])
    dead.take(1, 0)
    alive = broker.queue("alive", idle_seconds=0.3)

    def look() -> list[Delivery]:
        busy.extend(held)
        return alive.take(2, 0)

    assert _texts(until(look)) == ["lost"]


def test_put_waits_while_the_queue_is_full(broker: Broker) -> None:
    """Back-pressure: the queue never holds more than its limit, and work in hand counts."""
    queue, reader = broker.queue(max_length=10), broker.queue("reader")
    with ThreadPoolExecutor(1) as pool:
        putting = pool.submit(queue.put, make_tasks(35))
        read = 0
        while read < 35:
            deliveries = until(lambda: reader.take(4, 0))
            assert queue.status().length <= 10
            read += len(deliveries)
            reader.ack(deliveries)
        putting.result(10)


def test_put_gives_up_when_told_to(broker: Broker) -> None:
    """The error says how many tasks were added."""
    queue = broker.queue(max_length=10)
    queue.put(make_tasks(8))
    with pytest.raises(QueueError, match=r"full \(10\) .*: 2 of 5 tasks were added"):
        queue.put(make_tasks(5), timeout=0.05)
    assert queue.status().length == 10


def test_poison_becomes_a_dead_letter_and_harms_no_other(broker: Broker) -> None:
    """Messages that are no task are set aside at once; their reason shows nothing of their content."""
    queue = broker.queue()
    good = make_tasks(2)
    queue.put(good[:1])
    whole = good[0].model_dump_json().encode()
    broker.inject(b"\xff\x00 secret")
    broker.inject(b'{"id": "secret"}')
    broker.inject(whole[: len(whole) // 2])
    broker.inject(whole, version=b"99")
    broker.inject(whole, version=None)
    broker.inject(None)
    queue.put(good[1:])
    assert [d.task for d in queue.take(100, 0)] == good
    letters = queue.dead_letters()
    reasons = [letter.reason for letter in reversed(letters)]
    assert reasons[0].startswith("not a task: json_invalid")
    assert reasons[1] == "not a task: missing at section"
    assert reasons[3:] == [
        "schema version '99' is not 1",
        "schema version none is not 1",
        "not a task: the message has no field `task`",
    ]
    assert not any("secret" in reason for reason in reasons)
    assert all(letter.task is None for letter in letters)
    assert queue.retry_dead() == 0
    assert queue.status().dead == 6


def _bury(queue: TaskQueue, count: int) -> None:
    queue.put(make_tasks(count))
    for number, delivery in enumerate(queue.take(count, 0)):
        assert queue.fail(delivery, f"reason {number}")


def test_dead_letters_are_listed_newest_first_and_bounded(broker: Broker) -> None:
    """Dead letters cannot fill the broker: the oldest make room."""
    queue = broker.queue(max_attempts=1, max_dead=3)
    _bury(queue, 5)
    assert [letter.reason for letter in queue.dead_letters()] == ["reason 4", "reason 3", "reason 2"]
    assert [letter.reason for letter in queue.dead_letters(1)] == ["reason 4"]


def test_dead_letters_are_put_back_all_or_by_name(broker: Broker) -> None:
    """A retried task starts anew, in the old order; a letter is put back once."""
    queue = broker.queue(max_attempts=1)
    _bury(queue, 3)
    named = [letter.entry_id for letter in queue.dead_letters() if letter.reason == "reason 1"]
    assert queue.retry_dead([*named, "99999-0"]) == 1
    assert queue.retry_dead(named) == 0
    assert queue.retry_dead() == 2
    again = queue.take(10, 0)
    assert [(d.attempts, d.task.section.text) for d in again] == [
        (1, "Sentence 1."),
        (1, "Sentence 0."),
        (1, "Sentence 2."),
    ]
    assert queue.status().dead == 0


def test_dead_letters_are_purged_all_or_by_age(broker: Broker) -> None:
    """Retention deletes only what is older than the given moment."""
    queue = broker.queue(max_attempts=1)
    _bury(queue, 3)
    assert queue.purge_dead(now() - timedelta(hours=1)) == 0
    assert queue.purge_dead(now() + timedelta(hours=1)) == 3
    _bury(queue, 2)
    assert queue.purge_dead() == 2
    assert queue.dead_letters() == []


def test_consumers_long_gone_are_removed(broker: Broker) -> None:
    """Names of pods that came and went do not pile up, but nothing that holds work is removed."""
    empty, holding = broker.queue("empty"), broker.queue("holding")
    holding.put(make_tasks(1))
    assert holding.take(1, 0)
    assert empty.take(1, 0) == []
    time.sleep(SOON)
    broker.queue("next", forget_seconds=SOON).take(1, 0)
    assert holding.status().consumers == 2
    assert holding.status().pending == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["ack", "fail", "release", "extend", "die"])),
        max_size=30,
    )
)
def test_whatever_consumers_do_no_task_is_lost(broker: Broker, steps: list[tuple[str, str]]) -> None:
    """Each task is finished or a dead letter in the end, whatever order consumers work, fail and die in."""
    case = Broker(broker.url)
    queues = {name: case.queue(name, idle_seconds=0.001) for name in "abc"}
    tasks = make_tasks(6)
    queues["a"].put(tasks)
    finished: set[str] = set()

    def act(queue: TaskQueue, deed: str) -> None:
        deliveries = queue.take(2, 0)
        if deed == "ack":
            queue.ack(deliveries)
            finished.update(d.task.id for d in deliveries)
        elif deed == "fail":
            for delivery in deliveries:
                queue.fail(delivery, "deed")
        elif deed != "die":
            getattr(queue, deed)(deliveries)

    for name, deed in steps:
        act(queues[name], deed)
    until(lambda: act(queues["b"], "ack") or queues["b"].status().length == 0)
    dead = {letter.task.id for letter in queues["a"].dead_letters() if letter.task}
    assert finished | dead == {task.id for task in tasks}
    assert not finished & dead
    for queue in queues.values():
        queue.close()
