"""What a life trains and tests on: joined from several hands, and nothing of the test split near to what is trained."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.inference.reader_samples import QUESTIONS
from tests.integration.tuning.life_world import fill_store
from tests.unit.tuning.test_life_course import make_plan, make_tools

from credit_signals.errors import StepFailed
from credit_signals.store import MemoryStore
from credit_signals.tuning.life.course import Life, run_step
from credit_signals.tuning.life.gathering import DATASET, SAMPLE
from credit_signals.tuning.life.plan import Folder
from credit_signals.tuning.teacher import load_teacher, split_of

HIRING = {"code": "hiring", "stance": "ongoing", "subject": "company", "severity": 1}
GROUPS = {split_of(f"site/{n}", 1): f"site/{n}" for n in range(100)}  # a site of each split
TEXTS = {
    "train": "We look for two bakers to join our night shift in Leeds.",
    "validation": "Apprentices are welcome at every one of our garages.",
    "test": "Our depot needs drivers who know the northern motorways.",
}


def row(name: str, group: str, text: str, **values: Any) -> dict[str, Any]:
    """A labelled line."""
    return {"id": name, "src": group, "lang": "en", "prev": "Jobs", "text": text, "signals": [HIRING], **values}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """JSON Lines."""
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return path


def gathered(folder: Path, labels: list[dict[str, Any]]) -> Life:
    """A life whose teacher labelled a sentence for training and one for the test, and that is given these labels."""
    write(folder / "graded.jsonl", [row("a", GROUPS["train"], TEXTS["train"])])
    write(folder / "graded.test.jsonl", [row("b", GROUPS["test"], TEXTS["test"])])
    given = write(folder / "labels-of-ours.jsonl", labels)
    return Life(make_plan(folder, labels=[given], count=5), Folder(folder), make_tools(folder))


def test_several_hands_are_joined_and_what_is_near_to_a_test_sentence_is_left_out(tmp_path: Path) -> None:
    """Equal ids of two files become two sentences; a near-duplicate of a test sentence teaches nothing."""
    near = TEXTS["test"].replace("drivers", "driver")
    labels = [row("a", GROUPS["validation"], TEXTS["validation"]), row("c", GROUPS["train"], near)]
    life = gathered(tmp_path, labels)
    figures = run_step(DATASET, life)
    assert {name: figures[name] for name in (*TEXTS, "near_to_test")} == dict.fromkeys(TEXTS, 1) | {"near_to_test": 1}
    sentences = load_teacher([life.folder.sentences])
    assert sorted(each.text for each in sentences) == sorted(TEXTS.values())
    assert len({each.id for each in sentences}) == len(sentences)
    assert {each.split(1) for each in sentences} == set(TEXTS)


def test_a_split_without_a_signal_is_refused(tmp_path: Path) -> None:
    """Calibration and figures need something to find; the failure says what to do, before hours of training."""
    life = gathered(tmp_path, [row("v", GROUPS["validation"], TEXTS["validation"], signals=[])])
    with pytest.raises(StepFailed, match=r"step dataset .*none of the 1 sentences for validation states a signal"):
        run_step(DATASET, life)


def test_a_crawl_too_small_to_judge_a_reader_is_refused_before_the_teacher_is_paid(tmp_path: Path) -> None:
    """The sample is taken and counted; without a promotion it is enough."""
    store = MemoryStore()
    fill_store(store)
    tools = replace(make_tools(tmp_path), open_store=lambda: store)
    life = Life(make_plan(tmp_path, questions=QUESTIONS, count=20), Folder(tmp_path), tools)
    with pytest.raises(StepFailed, match=r"step sample .* documents are in the test split, and 20 are needed"):
        run_step(SAMPLE, life)
    content = replace(life, plan=make_plan(tmp_path, questions=QUESTIONS, count=20, promote=False))
    assert run_step(SAMPLE, content)["sentences"] == 20
