"""The DAGs: light to parse, strict about their form, right in what they do."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dag_platform import Platform, run_dag_process
from dag_process import DAGS, airflow_environment
from tests.integration.scaling.scaled_cluster import NAME, PLACE, Cluster

from credit_signals.tuning.life.stages import STEPS

pytestmark = pytest.mark.usefixtures("no_airflow_settings")
FORM = {"companies": "", "limit": None, "due_days": 7, "shards": 4, "reread": False, "hours": 24}


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow sees in the DAG folder."""
    found: dict[str, Any] = run_dag_process(airflow_environment(tmp_path_factory.mktemp("parse")), "parse")
    return found


def test_the_dag_folder_holds_what_it_should(parsed: dict[str, Any]) -> None:
    """Every file parses, and the DAGs have their tasks."""
    assert parsed["errors"] == {}
    crawl = ["crawl_shard", "enqueue", "open_run", "scale_workers", "score", "wait_until_read"]
    assert parsed["dags"]["crawl_companies"] == crawl
    assert parsed["dags"]["keep_house"] == ["release_workers", "remove_the_old", "report_dead_letters"]
    assert set(parsed["dags"]["fine_tune"]) == {"plan", *STEPS}
    assert parsed["schedules"]["fine_tune"] is None
    assert parsed["schedules"]["crawl_companies"] == parsed["schedules"]["keep_house"] == "@daily"


def test_parsing_imports_neither_the_library_nor_anything_heavy(parsed: dict[str, Any]) -> None:
    """The dag-processor parses every file again and again: parsing stays light."""
    assert parsed["heavy"] == []


def test_the_schedule_can_be_set_or_switched_off(tmp_path: Path) -> None:
    """CREDIT_SIGNALS_SCHEDULE is a cron line; empty means by hand only."""
    for value, schedule in (("", None), ("0 4 * * 1", "0 4 * * 1")):
        environment = {**airflow_environment(tmp_path), "CREDIT_SIGNALS_SCHEDULE": value}
        assert run_dag_process(environment, "parse")["schedules"]["crawl_companies"] == schedule


@pytest.mark.parametrize("file", sorted(DAGS.glob("*.py")), ids=lambda file: file.name)
def test_a_dag_file_is_short(file: Path) -> None:
    """A DAG says when and in which order; the work is in the library."""
    assert len(file.read_text().splitlines()) <= 60


@pytest.fixture(scope="module")
def outcomes(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Each case of `cases`, run by `dag.test()` one after the other in one process, with a reader at work.

    A cluster is configured, and KEDA scales its workers.
    """
    listed = platform.companies("harrowlea", "cardle", "plumtree")
    broken = platform.folder / "broken.csv"
    broken.write_text("id,name,domain\n1,No domain,\n")
    cases = [
        {"dag": "crawl_companies", "conf": {"companies": listed, "shards": 2}},
        {"dag": "crawl_companies", "conf": {}},  # nobody is due: all were crawled just now
        {"dag": "crawl_companies", "conf": {"companies": listed, "limit": 1, "pages": 1, "reread": True}},
        {"dag": "crawl_companies", "conf": {"companies": str(broken)}},
        {"dag": "crawl_companies", "conf": {"companies": str(platform.folder / "absent.csv")}},
        {"dag": "keep_house", "conf": {}},
        *({"dag": "crawl_companies", "conf": wrong} for wrong in WRONG_FORMS),
    ]
    home = tmp_path_factory.mktemp("airflow")
    cluster = Cluster(home)
    cluster.add_scaled_object({"name": NAME})
    scaled = {"scale_deployment": PLACE, "scale_kubeconfig": str(cluster.kubeconfig)}
    on_a_cluster = replace(platform, settings=platform.settings.model_copy(update=scaled))
    with platform.reader(), cluster.served():
        found: list[dict[str, Any]] = on_a_cluster.dag_process(home, "run", json.dumps(cases))
    assert cluster.wishes == []
    return found


WRONG_FORMS: list[dict[str, object]] = [{"shards": 0}, {"limit": "many"}, {"hours": 0}, {"depth": -1}, {"reread": 3}]


def _states(outcome: dict[str, Any]) -> dict[str, set[str]]:
    states: dict[str, set[str]] = {}
    for task, state in outcome["tasks"]:
        states.setdefault(task, set()).add(state)
    return states


def test_a_list_is_crawled_read_and_scored(outcomes: list[dict[str, Any]], platform: Platform) -> None:
    """Two shards, one report for each company, nothing left unread."""
    outcome = outcomes[0]
    assert outcome["state"] == "success"
    assert len(outcome["tasks"]) == 7
    run = _run_of(outcome, platform)
    assert platform.parts.store.progress(run).unread == 0
    reports = {report.company.id: report for report in platform.parts.store.reports(run)}
    assert set(reports) == {"harrowlea-castings", "cardle-haulage", "plumtree-domains"}
    assert reports["harrowlea-castings"].sections > 0
    assert reports["plumtree-domains"].status == "parked"


def test_workers_that_keda_scales_are_left_to_it(outcomes: list[dict[str, Any]]) -> None:
    """The task for scaling is skipped, and the run is none the worse."""
    assert _states(outcomes[0])["scale_workers"] == {"skipped"}
    assert outcomes[0]["state"] == "success"


def test_without_a_list_those_that_are_due_are_taken(outcomes: list[dict[str, Any]]) -> None:
    """When no company is due, the run ends well and does nothing."""
    assert outcomes[1]["state"] == "success"
    assert _states(outcomes[1])["crawl_shard"] == {"skipped"}
    assert _states(outcomes[1])["score"] == {"skipped"}


def test_limit_and_budget_of_the_form_count(outcomes: list[dict[str, Any]], platform: Platform) -> None:
    """The form's values reach the run."""
    run = platform.parts.store.run(_run_of(outcomes[2], platform))
    assert run is not None
    assert (run.budget.pages, run.reread) == (1, True)
    assert len(platform.parts.store.companies(run.id)) == 1


def test_a_list_without_a_good_line_ends_with_its_rejections(
    outcomes: list[dict[str, Any]], platform: Platform
) -> None:
    """Bad lines are kept with the run, for whoever wonders why nothing happened."""
    assert _states(outcomes[3])["open_run"] == {"success"}
    assert [line.line for line in platform.parts.store.rejections(_run_of(outcomes[3], platform))] == [2]


def test_a_list_that_is_not_there_fails_the_first_task(outcomes: list[dict[str, Any]]) -> None:
    """Nothing is crawled for a list that cannot be read."""
    assert outcomes[4]["state"] == "failed"
    assert _states(outcomes[4])["open_run"] == {"failed"}


def test_the_house_is_kept(outcomes: list[dict[str, Any]]) -> None:
    """Housekeeping runs on a store and a queue in use."""
    assert outcomes[5]["state"] == "success"


def test_a_form_filled_in_wrongly_is_refused(outcomes: list[dict[str, Any]]) -> None:
    """Airflow checks the form before the run starts."""
    refused = outcomes[6:]
    assert [outcome["state"] for outcome in refused] == ["refused"] * len(WRONG_FORMS)
    for outcome, wrong in zip(refused, WRONG_FORMS, strict=True):
        assert next(iter(wrong)) in outcome["error"]


def test_a_run_that_nobody_reads_fails_and_says_why(platform: Platform, tmp_path: Path) -> None:
    """The wait ends after the hours of the form, with what is left in the log and no retry."""
    conf = {"companies": platform.companies("brightwell"), "hours": 0.0005}
    [outcome] = platform.dag_process(tmp_path, "run", json.dumps([{"dag": "crawl_companies", "conf": conf}]))
    assert outcome["state"] == "failed"
    assert _states(outcome)["wait_until_read"] == {"failed"}
    assert _states(outcome)["scale_workers"] == {"skipped"}, "no cluster is configured"
    assert _states(outcome)["score"] == {"upstream_failed"}
    with platform.reader():  # what waits is read, so that no other test waits for it
        while platform.parts.store.unread(_run_of(outcome, platform)):
            time.sleep(0.05)


def _run_of(outcome: dict[str, Any], platform: Platform) -> str:
    """The product's run of a DAG run: its id with only what is fit for file names."""
    wanted = "".join(c if c.isalnum() or c in "_.-" else "-" for c in outcome["run_id"])
    run = platform.parts.store.run(wanted)
    assert run is not None, wanted
    return run.id
