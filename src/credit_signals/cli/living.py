"""What the commands of a reader's life do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from credit_signals import settings, wiring
from credit_signals.cli.deciding import current_user
from credit_signals.cli.show import say
from credit_signals.errors import ConfigurationError
from credit_signals.tuning.life.course import Life, run_step
from credit_signals.tuning.life.deciding import promoted, require_activities
from credit_signals.tuning.life.plan import Folder, plan_of, read_plan, write_plan
from credit_signals.tuning.life.stages import STEPS


def live(work: Path, values: Mapping[str, Any], store: str, by: str) -> bool:
    """Every step of the life that these values ask for; whether the reader was not refused."""
    chosen = settings.load()
    if store:
        chosen = chosen.model_copy(update={"store_url": SecretStr(store)})
    plan = plan_of({**values, "questions": settings.beside_sources(values["questions"])})
    tools = wiring.life_tools(chosen, by or current_user(), plan.teacher.key_env)
    require_activities(plan, tools)
    write_plan(work, plan)
    say(f"sentences of the store are sent to {plan.teacher.endpoint}")
    life = Life(plan, Folder(work), tools)
    for step in STEPS.values():
        figures = run_step(step, life)
        say(f"{step.name:<8} {figures['line']}")
    return promoted(figures)


def live_step(work: Path, name: str, by: str) -> None:
    """One step of a life that was planned before."""
    if name not in STEPS:
        raise ConfigurationError(f"{name!r} is no step of a life; the steps are {', '.join(STEPS)}")
    plan = read_plan(work)
    tools = wiring.life_tools(settings.load(), by, plan.teacher.key_env)
    say(run_step(STEPS[name], Life(plan, Folder(work), tools))["line"])
