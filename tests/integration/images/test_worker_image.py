"""The worker's image by itself: small, of one user without rights, and all that a reader needs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pods import podman

pytestmark = [pytest.mark.images, pytest.mark.timeout(3600)]
RESTRICTED = ("--rm", "--network", "none", "--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges")


@pytest.fixture(scope="module")
def told(image: str) -> dict[str, Any]:
    """What the image tells of itself."""
    (found,) = json.loads(podman("image", "inspect", image))
    return dict(found)


def test_the_image_is_labelled_and_runs_as_nobody_special(told: dict[str, Any]) -> None:
    """Source, version, revision and licence are told; the user is a number, so that a cluster can check it."""
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in told["Labels"].items()}
    assert labels["licenses"] == "Apache-2.0"
    assert labels["version"]
    assert len(labels["revision"]) == 40
    assert told["User"] == "10001:10001"
    print(f"\nimage: {told['Size'] / 1e6:.0f} MB")


def test_no_compiler_and_no_installer_is_left(image: str) -> None:
    """What builds the image is not in it."""
    tools = "cc gcc g++ c++ make cmake ninja ld strip uv"
    script = f"for tool in {tools}; do command -v $tool; done; true"
    assert podman("run", *RESTRICTED, image, "sh", "-c", script) == ""


def test_the_reader_loads_on_a_read_only_disk(image: str) -> None:
    """Nothing is written but to /tmp and /data: the models' hashes hold, and llama.cpp chooses a processor variant."""
    look = "from credit_signals import settings, wiring; from credit_signals.inference.llama import processor; "
    look += "reader = wiring.open_configured_reader(settings.load()); print(reader.id, processor(), sep='; ')"
    said = podman("run", *RESTRICTED, "--tmpfs", "/tmp", "--tmpfs", "/data", image, "python", "-c", look)
    print(f"\n{said}")
    assert "processor variant" in said
    assert "?" not in said


def test_both_doors_answer(image: str) -> None:
    """`credit-signals` is there for the results page and migrations, and knows its version's commands."""
    said = podman("run", *RESTRICTED, "--tmpfs", "/tmp", image, "credit-signals", "--help")
    assert all(command in said for command in ("serve", "migrate", "work"))
