"""What the chart says after an installation."""

from __future__ import annotations

import subprocess

import pytest
from helm_binaries import helm
from helm_chart import CASES, CHART, NAMESPACE, RELEASE, values_of


def notes(case: str) -> str:
    """NOTES.txt for a case, as an installation would print it (helm 3 asks a cluster for that)."""
    command = [helm("4.1"), "install", RELEASE, CHART, "--namespace", NAMESPACE, "--dry-run=client"]
    done = subprocess.run(
        [*command, "--values", values_of(case)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.partition("NOTES:\n")[2]


@pytest.mark.parametrize("case", CASES)
def test_the_next_step_is_said(case: str) -> None:
    """Whatever was chosen: how to test it, and where Airflow finds the addresses."""
    said = notes(case)
    assert f"helm test {RELEASE} --namespace {NAMESPACE}" in said
    assert "CREDIT_SIGNALS_REDIS_URL" in said
    assert "%!" not in said  # a format that did not get its value


def test_a_trial_is_warned_of() -> None:
    """Who takes the trial is told that its data goes with the pod, and nobody else."""
    assert "WARNING: trial.enabled" in notes("trial")
    assert "WARNING" not in notes("default")


def test_the_owner_of_the_number_of_pods_is_named() -> None:
    """The way of scaling that was chosen is the one that is explained."""
    worker = f"{RELEASE}-credit-signals-section-reader"
    assert f"scale deployment/{worker}" in notes("default")
    assert f"get scaledobject {worker}" in notes("keda")
    assert f"get hpa {worker}" in notes("hpa")
    assert f"CREDIT_SIGNALS_SCALE_DEPLOYMENT={NAMESPACE}/{worker}" in notes("eks-irsa-spot")
