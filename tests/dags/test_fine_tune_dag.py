"""The DAG fine_tune on a store of small sites, with a teacher that answers over HTTP as it is scripted."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dag_platform import STUB_MANIFEST, run_dag_process
from dag_process import airflow_environment
from tests.integration.tuning.labelling.scripted_endpoint import Answer, ScriptedEndpoint, completion
from tests.integration.tuning.life_world import SIGNS, fill_store, make_base, write_labels

from credit_signals import wiring
from credit_signals.settings import Settings

SECONDS = 840  # on a machine that does much else
pytestmark = [pytest.mark.usefixtures("no_airflow_settings"), pytest.mark.timeout(SECONDS + 60)]
TORCH = importlib.util.find_spec("torch") is not None
BEFORE_TRAINING = ["plan", "sample", "label", "grade", "dataset"]
STEPS = [*BEFORE_TRAINING, "train", "export", "evaluate", "promote"]


@dataclass(frozen=True)
class Site:
    """Settings of a life's world, its folder, and the teacher."""

    settings: Settings
    folder: Path
    teacher: ScriptedEndpoint

    def run(self, *forms: dict[str, Any]) -> list[dict[str, Any]]:
        """The outcomes of runs with these values in the form, in one process."""
        given = {
            "endpoint": self.teacher.url,
            "base": str(self.folder / "base"),
            "labels": [str(self.folder / "labels.jsonl")],
            "count": 12,
            "epochs": 3,
            "threads": 1,
        }
        cases = [{"dag": "fine_tune", "conf": {**given, **form}} for form in forms]
        (self.folder / "airflow").mkdir(exist_ok=True)
        environment = {**airflow_environment(self.folder / "airflow"), **self.settings.as_environment()}
        outcomes: list[dict[str, Any]] = run_dag_process(environment, "run", json.dumps(cases), seconds=SECONDS)
        return outcomes


def _answer(_number: int, body: dict[str, Any]) -> Answer:
    asked = json.loads(body["messages"][1]["content"])
    if body["response_format"]["json_schema"]["name"] == "GradeReply":
        return completion({"reason": "right", "grade": 5})
    code = SIGNS[asked["sentence"].rstrip()[-1]]
    told = {"code": code, "stance": "occurred", "subject": "company", "severity": 2}
    return completion({"signals": [told] if code else []})


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Twelve crawled sites, sentences labelled by hand, a teacher, and a base that is a model where torch is there."""
    manifest = tmp_path / "scripted.toml"
    manifest.write_text(STUB_MANIFEST)
    chosen = Settings(data_dir=tmp_path / "data", reader=manifest)
    chosen.data_dir.mkdir()
    store = wiring.open_store(chosen)
    fill_store(store)
    store.close()
    write_labels(tmp_path / "labels.jsonl")
    if TORCH:
        make_base(tmp_path / "base")
    else:
        (tmp_path / "base").mkdir()
        (tmp_path / "base" / "config.json").write_text('{"hidden_size": 384}')
    with ScriptedEndpoint(_answer) as teacher:
        yield Site(chosen, tmp_path, teacher)


def _states(outcome: dict[str, Any]) -> dict[str, str]:
    return dict(outcome["tasks"])


@pytest.mark.skipif(TORCH, reason="torch is installed: the whole DAG is tested")
def test_without_torch_the_training_says_what_it_needs(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    """What needs no torch is done and kept, and the failure names the extra; a form without sense fails at once."""
    outcome, wrong, careless = site.run({}, {"trade_reason": "because"}, {"endpoint": "http://me:pw@host/v1"})
    states = _states(outcome)
    assert [states[name] for name in BEFORE_TRAINING] == ["success"] * len(BEFORE_TRAINING)
    assert (outcome["state"], states["train"], states["promote"]) == ("failed", "failed", "upstream_failed")
    assert "step train of" in capfd.readouterr().out
    assert _states(wrong)["plan"] == "failed"
    assert careless["state"] == "refused"
    assert len(site.teacher.bodies) == 2 * 12


@pytest.mark.skipif(not TORCH, reason="training needs the extra `tune`")
def test_the_dag_makes_a_reader_and_refuses_its_like(site: Site) -> None:
    """The first run promotes; a second, no better, ends green with its promotion skipped, and pays the teacher less."""
    first, second = site.run({}, {"epochs": 2})
    assert _states(first) == dict.fromkeys(STEPS, "success")
    assert _states(second) == {**dict.fromkeys(STEPS, "success"), "promote": "skipped"}
    assert second["state"] == "success"
    store = wiring.open_store(site.settings)
    assert [str(each.outcome) for each in store.promotions()] == ["promoted", "refused"]
    assert store.promotions()[0].by == "fine_tune"
    store.close()
    assert len(site.teacher.bodies) <= 2 * 2 * 12
