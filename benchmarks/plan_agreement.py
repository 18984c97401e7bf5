"""Does the simulation foretell real workers? The same arrivals, once on real workers and a real Redis, once simulated.

    python benchmarks/plan_agreement.py [--workers 1 2] [--seconds 90] [--repeat 1]

For each number of workers, three runs on this machine, one after the other:
  measure   sections all waiting from the start, once in batches of 16 and once one by one: gives the seconds of a batch
            and of a section (before and after the next run; their mean counts, since a busy machine drifts)
  foretold  companies come at random (Poisson) for a while, then a burst; how long sections wait and how long the queue
            drains is written down
The simulation gets the figures of `measure` and the arrivals of `foretold`, never a time of it. Each run reads other
sections.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from credit_signals import pipeline, wiring
from credit_signals.cli.workers import Workers
from credit_signals.domain import Company, PageRole, Prediction, Run, Section, SectionTask, Sentence, SiteStatus, now
from credit_signals.planning.simulation import Arrival, Cluster, PodModel, Scenario, simulate
from credit_signals.planning.simulation.outcome import weighted_percentile
from credit_signals.settings import Settings
from credit_signals.store.base import SiteRecord

BATCH = 16
WARM = 2 * BATCH
SATURATED, SINGLY = 192, 48  # sections of the two measurements, for each worker
LOAD = 0.7  # of what the workers can do, before the burst
BURST_BATCHES = 10  # for each worker
STARTS = ("The company", "Our plant in Leeds", "A new director", "The board", "One of our suppliers", "The council")
MIDDLES = ("announced", "expects", "has closed", "will open", "denied", "reported", "signed", "lost", "moved to")
ENDS = (
    "a contract with a large customer from the north of the country",
    "that forty jobs are to go before the end of the year",
    "higher sales than in the year before, as orders rose again",
    "a second factory for roofing tiles next to the old one",
)
_numbers = itertools.count()


@dataclass(frozen=True)
class Group:
    """Sections put at a moment, and when each was answered, in seconds from the start."""

    at: float
    answered: list[float]


@dataclass(frozen=True)
class Seen:
    """What one run shows: mean and 95th percentile from put to answer, and from the last put to the last answer."""

    mean: float
    late: float
    drain: float
    pace: float = 0.0  # seconds of one worker for a section while the burst was read


def make_section(chance: random.Random) -> Section:
    """A section that no other equals, of 2 to 16 sentences."""
    text, sentences, number = "", [], next(_numbers)
    for place in range(1, chance.randint(2, 16) + 1):
        start = len(text)
        words = f"{chance.choice(STARTS)} {chance.choice(MIDDLES)} {chance.choice(ENDS)}, says note {number}.{place}."
        text += words + " "
        sentences.append(Sentence(number=place, start=start, end=start + len(words)))
    return Section.build(
        company_id="one",
        url=f"http://one.example/{number}",
        role=PageRole.NEWS,
        text=text.rstrip(),
        sentences=tuple(sentences),
        language="en",
    )


class Bench:
    """Workers that are ready, an empty queue, and a run whose tasks are put on it by hand."""

    def __init__(self, settings: Settings, parts: wiring.Parts, count: int) -> None:
        self.settings, self.parts, self.count = settings, parts, count
        self.company = Company(id="one", name="One", domain="one.example", url="http://one.example/")
        self.reader = wiring.present_reader_id(settings, parts.store)

    def measure(self, sections: Sequence[Section]) -> float:
        """Seconds of one worker for a section, when all of them wait."""
        groups = self.run([(0.0, sections)])
        ends = sorted(end for group in groups for end in group.answered)
        first = self.count * self.settings.batch  # those that were begun while workers woke up
        return (ends[-1] - ends[first - 1]) * self.count / (len(ends) - first)

    def run(self, arrivals: Sequence[tuple[float, Sequence[Section]]]) -> list[Group]:
        """Put sections at their moments; when each was answered."""
        store, queue = self.parts.store, self.parts.queue
        everything = [section for _, some in arrivals for section in some]
        run = pipeline.open_run(store, pipeline.RunRequest([self.company]))
        store.save_site(SiteRecord(run.id, "one", SiteStatus.READ, "", 1, "en", now(), sections=tuple(everything)))
        tasks = {section.id: SectionTask.build(section, self.reader) for section in everything}
        store.plan_tasks(run.id, "one", list(tasks.values()), False)
        began, clock = now(), time.perf_counter()
        for at, some in arrivals:
            time.sleep(max(0.0, at - (time.perf_counter() - clock)))
            queue.put([tasks[section.id] for section in some])
        answers = self._wait(run, len(everything))
        return [
            Group(at, [(answers[section.content_hash].read_at - began).total_seconds() for section in some])
            for at, some in arrivals
        ]

    def _wait(self, run: Run, count: int) -> dict[str, Prediction]:
        store = self.parts.store
        while store.unread(run.id):
            time.sleep(0.3)
        found = store.predictions(run.id, "one")
        assert len(found) == count, f"{len(found)} of {count} sections have an answer"
        return found


@contextmanager
def bench(count: int, batch: int) -> Iterator[Bench]:
    """Real workers on a real Redis, warm."""
    with tempfile.TemporaryDirectory(prefix="plan-agreement-") as name:
        plain = Settings(data_dir=Path(name), batch=batch, redis_url=SecretStr(""), store_url=SecretStr(""))
        with wiring.with_redis(plain) as settings, wiring.opened(settings) as parts, Workers(settings, count):
            logs = [Path(name) / "logs" / f"worker-{number}.log" for number in range(count)]
            while not all(log.exists() and "worker ready" in log.read_text() for log in logs):
                time.sleep(0.1)
            ready = Bench(settings, parts, count)
            chance = random.Random(0)
            ready.run([(0.0, [make_section(chance) for _ in range(WARM)])])
            yield ready


def measure(count: int, seed: int) -> tuple[float, float]:
    """Seconds of a batch and of each section in it, for one of `count` workers."""
    chance = random.Random(seed)
    with bench(count, BATCH) as full:
        together = full.measure([make_section(chance) for _ in range(SATURATED * count)])
    with bench(count, 1) as single:
        alone = single.measure([make_section(chance) for _ in range(SINGLY * count)])
    batch_seconds = max(0.0, (alone - together) * BATCH / (BATCH - 1))
    return batch_seconds, together - batch_seconds / BATCH


def schedule(rate: float, seconds: float, burst: int, seed: int) -> list[tuple[float, list[Section]]]:
    """Companies of 3 to 21 sections at random, `rate` sections a second, and a burst at the end."""
    chance = random.Random(seed)
    arrivals, at = [], chance.expovariate(rate / 12)
    while at < seconds:
        arrivals.append((at, [make_section(chance) for _ in range(chance.randint(3, 21))]))
        at += chance.expovariate(rate / 12)
    arrivals.append((seconds, [make_section(chance) for _ in range(burst)]))
    return arrivals


def real(count: int, arrivals: Sequence[tuple[float, Sequence[Section]]]) -> Seen:
    """The arrivals on real workers."""
    with bench(count, BATCH) as ready:
        groups = ready.run(arrivals)
    waits = [(end - group.at, 1) for group in groups for end in group.answered]
    last = max(end for group in groups for end in group.answered)
    burst = groups[-1].at
    pace = (last - burst) * count / sum(end > burst for group in groups for end in group.answered)
    return Seen(statistics.fmean(wait for wait, _ in waits), weighted_percentile(waits, 0.95), last - burst, pace)


def foretold(count: int, model: PodModel, arrivals: Sequence[tuple[float, Sequence[Section]]]) -> Seen:
    """The arrivals simulated."""
    puts = [Arrival(at, len(some)) for at, some in arrivals]
    outcome = simulate(Scenario(puts, model, Cluster(workers=count)))
    return Seen(outcome.mean_answer, outcome.answer_percentile(0.95), outcome.drain_seconds)


def compare(count: int, seconds: float, seed: int) -> float:
    """Print one comparison; the largest relative error."""
    before = measure(count, seed)
    arrivals = schedule(LOAD * count / before[1], seconds, BURST_BATCHES * BATCH * count, seed + 1)
    load = os.getloadavg()[0]
    seen = real(count, arrivals)
    after = measure(count, seed + 2)
    batch_seconds, section_seconds = (statistics.fmean(pair) for pair in zip(before, after, strict=True))
    said = foretold(count, PodModel(section_seconds, batch_seconds, BATCH), arrivals)
    sections = sum(len(some) for _, some in arrivals)
    drift = (
        f"{before[1] * 1e3:.0f} before, {after[1] * 1e3:.0f} after, {seen.pace * 1e3:.0f} in the burst of the real run"
    )
    print(
        f"\n{count} workers: {sections} sections in {len(arrivals)} arrivals over {seconds:g} s, load {load:.1f}; "
        f"measured {section_seconds * 1e3:.0f} ms a section ({drift}), {batch_seconds * 1e3:.0f} ms a batch"
    )
    print(f"{'seconds':34} {'real':>8} {'simulated':>10} {'error':>7}")
    worst = 0.0
    for name, a, b in (
        ("put to answer, mean", seen.mean, said.mean),
        ("put to answer, 95th percentile", seen.late, said.late),
        ("drain after the last put", seen.drain, said.drain),
    ):
        error = b / a - 1
        worst = max(worst, abs(error))
        print(f"{name:34} {a:8.2f} {b:10.2f} {error:+7.1%}", flush=True)
    return worst


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="numbers of workers (default 1 2)")
    parser.add_argument("--seconds", type=float, default=90.0, help="of arrivals before the burst (default 90)")
    parser.add_argument("--repeat", type=int, default=1, help="repetitions, each with other arrivals")
    parser.add_argument("--seed", type=int, default=20)
    given = parser.parse_args()
    errors = [
        compare(count, given.seconds, given.seed + 10 * repetition)
        for repetition in range(given.repeat)
        for count in given.workers
    ]
    print(f"\nlargest error {max(errors):.1%}")


if __name__ == "__main__":
    main()
