"""The steps of a scheduled run, as an orchestrator calls them: plain values in and out, settings from the environment.

Each step may be repeated: a repeated step goes on where the first one stopped.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from credit_signals import pipeline, settings, wiring
from credit_signals.children import end_child, start_child
from credit_signals.domain import Budget, now
from credit_signals.errors import ClusterUnavailable, ConfigurationError, CreditSignalsError, ScalingRefused, StepFailed
from credit_signals.store.base import ResultsStore

log = logging.getLogger(__name__)

DEAD_SHOWN = 50
QUESTIONS = Path("workers/section_reader/questions")
LIFE_BY = "fine_tune"  # who decides, for the record


def open_run(form: Mapping[str, Any], run_id: str) -> list[dict[str, Any]]:
    """Open a run as a form asks for it; the arguments of each `crawl_shard` (none when no company is due).

    The run's id is `run_id` with only what is fit for file names.
    Form: `companies` (path of a list; empty: those not crawled for `due_days`), `limit`, `shards`, `reread` and the
    fields of Budget. Raises CompanyListError.
    """
    run_id = re.sub(r"[^\w.-]", "-", run_id)
    store = wiring.open_store(settings.load())
    try:
        request = _request(form, run_id, store)
        for line in request.rejected:
            log.warning("line %d of %s is rejected: %s", line.line, form["companies"], line.reason)
        run = pipeline.open_run(store, request)
    finally:
        store.close()
    count = min(form["shards"], len(request.companies))
    log.info("run %s: %d companies in %d shards", run.id, len(request.companies), count)
    return [{"run_id": run.id, "shard": number, "shards": count} for number in range(count)]


def _request(form: Mapping[str, Any], run_id: str, store: ResultsStore) -> pipeline.RunRequest:
    budget = Budget(**{name: form[name] for name in Budget.model_fields})
    known = store.companies(run_id) if store.run(run_id) else []
    if known:  # a repeated step: who is due may have changed since
        return pipeline.RunRequest(known, store.rejections(run_id), budget, form["reread"], run_id)
    if form["companies"]:
        from credit_signals.intake import read_companies

        companies, rejected = read_companies(Path(form["companies"]))
        return pipeline.RunRequest(companies[: form["limit"]], rejected, budget, form["reread"], run_id)
    due = store.due_companies(now() - timedelta(days=form["due_days"]), form["limit"])
    return pipeline.RunRequest(due, (), budget, form["reread"], run_id)


def crawl_shard(run_id: str, shard: int, shards: int) -> dict[str, int]:
    """Crawl one shard of a run and queue its sections; counts of companies by status."""
    chosen = settings.load()
    with wiring.opened(chosen) as parts:
        tools = wiring.crawl_tools(chosen, parts.store, parts.queue)
        counts = asyncio.run(pipeline.crawl_shard(run_id, tools, shard, shards))
    return {str(status): count for status, count in counts.items()}


def enqueue(run_id: str) -> str:
    """Queue what a crash left unqueued; the run's id."""
    with wiring.opened(settings.load()) as parts:
        swept = pipeline.sweep_unqueued(run_id, parts.store, parts.queue)
    log.info("run %s: %d sections were left unqueued", run_id, swept)
    return run_id


def why_not_scaled() -> str:
    """Why the workers are not scaled from here; empty when they are, or when the cluster may answer later."""
    chosen = settings.load()
    try:
        wiring.sizing_rule(chosen)
        deployment = wiring.open_deployment(chosen)
        deployment.replicas()
        owner = deployment.owner()
    except (ConfigurationError, ScalingRefused) as error:
        return str(error)
    except ClusterUnavailable as error:
        log.warning("%s", error)
        return ""
    return f"{deployment.place} is scaled by {owner}" if owner else ""


def release_workers() -> str:
    """Scale the workers of runs that ended with work left to the floor, once nothing waits; what was done, or why not.

    Raises ClusterUnavailable, QueueUnavailable, ScalingRefused.
    """
    reason = why_not_scaled()
    if reason:
        return f"workers are not scaled from here: {reason}"
    chosen = settings.load()
    deployment = wiring.open_deployment(chosen)
    with closing(wiring.open_queue(chosen)) as queue:
        backlog = queue.status().length
    wished = deployment.replicas().wished
    if backlog or wished <= chosen.scale_floor:
        return f"{deployment.place}: {wished} stay, {backlog} sections wait"
    pipeline.scale(deployment, chosen.scale_floor)
    return f"{deployment.place}: {wished} -> {chosen.scale_floor}, no section waits"


class WorkerScaling:
    """Sizes the workers for a run, look by look; store, queue and cluster are opened at the first look.

    Readers may take `hours` from when all sites are crawled, or from `since` (seconds since 1970) if that is later.
    """

    def __init__(self, run_id: str, hours: float, since: float) -> None:
        self._run_id = run_id
        self._time = pipeline.ReadingTime(hours * 3600, datetime.fromtimestamp(since, UTC))
        self._opened = ExitStack()
        self._scaler: pipeline.WorkerScaler | None = None

    def look(self, over: bool = False) -> dict[str, Any]:
        """One look (`pipeline.WorkerScaler.look`) as plain values, or `trouble` when nothing could be done just now."""
        try:
            seen = self._open().look(self._time, over)
        except CreditSignalsError as error:
            return {"trouble": str(error)}
        return asdict(seen)

    def _open(self) -> pipeline.WorkerScaler:
        if self._scaler is None:
            chosen = settings.load()
            deployment, rule = wiring.open_deployment(chosen), wiring.sizing_rule(chosen)
            store = self._opened.enter_context(closing(wiring.open_store(chosen)))
            queue = self._opened.enter_context(closing(wiring.open_queue(chosen, impatient=True)))
            tools = pipeline.ScaleTools(store, queue, deployment, rule, chosen.queue_length)
            self._scaler = pipeline.WorkerScaler(self._run_id, tools, chosen.scale_service_seconds)
        return self._scaler

    def close(self) -> None:
        """Close what was opened."""
        self._opened.close()


def score(run_id: str) -> int:
    """Score every crawled company of a run; how many."""
    chosen = settings.load()
    store = wiring.open_store(chosen)
    try:
        return sum(1 for _ in pipeline.score_run(run_id, store, wiring.open_weights(chosen)))
    finally:
        store.close()


def report_dead_letters() -> int:
    """Write the newest dead letters to the log; how many there are."""
    with wiring.opened(settings.load()) as parts:
        for letter in parts.queue.dead_letters(DEAD_SHOWN):
            where = letter.task.section.url if letter.task else "(no task)"
            log.warning("dead letter %s, %s: %s", letter.entry_id, where, letter.reason)
        return parts.queue.status().dead


def keep_house(keep_days: int, keep_dead_days: int) -> dict[str, int]:
    """Note and purge dead letters, delete old runs and archive files; counts of what was found and removed."""
    chosen = settings.load()
    with wiring.opened(chosen) as parts:
        kept = pipeline.keep_house(parts.store, parts.queue, chosen.archive_dir, keep_days)
        purged = parts.queue.purge_dead(now() - timedelta(days=keep_dead_days))
    return {**asdict(kept), "dead_letters_deleted": purged}


def open_life(form: Mapping[str, Any], run_id: str) -> str:
    """Write down the life that a form asks for; the folder that its steps work in.

    Form: the fields of tuning.life.plan. The blind split and the teacher's answers are shared by all lives: the split
    is written once, and no sentence is paid for twice. Raises ConfigurationError.
    """
    from credit_signals.tuning.life.deciding import require_activities
    from credit_signals.tuning.life.plan import plan_of, write_plan

    chosen = settings.load()
    folder = chosen.lives_dir / run_id
    if folder.resolve().parent != chosen.lives_dir.resolve():
        raise ConfigurationError(f"run {run_id!r}: its id names no folder in {chosen.lives_dir}")
    shared = {"blind": chosen.lives_dir / "blind.jsonl", "cache": chosen.lives_dir / "answers.db"}
    usual = {"questions": settings.beside_sources(QUESTIONS), **shared}
    plan = plan_of({**usual, **{key: value for key, value in form.items() if value not in (None, "")}})
    require_activities(plan, wiring.life_tools(chosen, LIFE_BY))
    write_plan(folder, plan)
    log.info("life in %s: %s", folder, plan.model_dump_json())
    return str(folder.absolute())


def live(step: str, folder: str) -> dict[str, Any]:
    """Do a step of a life, in the Python of the settings where it names one; its figures. Raises StepFailed."""
    from credit_signals.tuning.life.course import Life, figures_of, run_step
    from credit_signals.tuning.life.plan import Folder, read_plan

    chosen = settings.load()
    if chosen.tune_python:
        command = [str(chosen.tune_python), "-m", "credit_signals.cli", "tune", "life-step", step, "--work", folder]
        child = start_child(command)  # ends with this task: a second one would write to the same folder
        try:
            status = child.wait()
        finally:
            end_child(child)
        if status:
            raise StepFailed(step, f"{chosen.tune_python} ended with {status}; the log above says why", folder)
        return figures_of(step, Path(folder))
    from credit_signals.tuning.life.stages import STEPS

    plan = read_plan(Path(folder))
    tools = wiring.life_tools(chosen, LIFE_BY, plan.teacher.key_env)
    return run_step(STEPS[step], Life(plan, Folder(Path(folder)), tools))
