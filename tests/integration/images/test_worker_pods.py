"""The chart's worker manifest, played by podman beside a Redis and a Postgres: scaled, ended and killed under load."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pods import WorkerPod, playing, podman, secret
from private_postgres import postgres_folder, private_postgres
from pydantic import SecretStr
from tests.made_sections import HOME, section_of

from credit_signals import pipeline, wiring
from credit_signals.children import end_child, start_child
from credit_signals.domain import Company, Run, Section, SiteStatus, now
from credit_signals.settings import Settings
from credit_signals.store.base import SiteRecord
from credit_signals.task_queue.embedded import find_redis_server

pytestmark = [pytest.mark.images, pytest.mark.postgres, pytest.mark.timeout(3600)]
ROOT = Path(__file__).resolve().parents[3]
SECTIONS = 500
SECRET = "cs-urls"
FIRST, SECOND = "cs-reader-a", "cs-reader-b"


@dataclass(frozen=True)
class Neighbours:
    """Redis and Postgres on the bridge that pods are on, with a run whose sections all wait."""

    settings: Settings
    parts: wiring.Parts
    run: Run

    @property
    def read(self) -> int:
        """Sections read so far."""
        return self.parts.store.progress(self.run.id).read


@pytest.fixture
def neighbours(image: str, tmp_path: Path) -> Iterator[Neighbours]:
    """A run of 500 sections on the bridge of podman's default network."""
    binaries = postgres_folder()
    if binaries is None:
        pytest.skip("no Postgres binaries (initdb, postgres) on this machine")
    with ExitStack() as stack:
        gateway, subnet = stack.enter_context(_bridge(image))
        store = stack.enter_context(private_postgres(binaries, gateway, subnet))
        redis = stack.enter_context(_redis(gateway, tmp_path))
        chosen = Settings(data_dir=tmp_path, store_url=SecretStr(store), redis_url=SecretStr(redis))
        parts = stack.enter_context(wiring.opened(chosen))
        yield Neighbours(chosen, parts, _feed(chosen, parts))


def test_every_section_is_read_once_while_pods_come_and_go(
    neighbours: Neighbours, manifests: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """One pod, two, one killed, one ended in order, one again: 500 sections, each read once and in the store."""
    *settings, deployment = manifests
    urls = {
        "redis-url": neighbours.settings.redis_url.get_secret_value(),
        "store-url": neighbours.settings.store_url.get_secret_value(),
    }
    told: dict[str, Any] = {}
    began = time.monotonic()
    with secret(SECRET, urls), playing(settings, deployment, FIRST) as first:
        _until(lambda: first.answer("/readyz") == 200, "the first pod is ready", first)
        told["ready after, s"] = time.monotonic() - began
        _until(lambda: neighbours.read > 0, "a first section is read", first)
        told["first batch read after, s"] = time.monotonic() - began
        _until(lambda: neighbours.read >= 60, "60 sections are read", first)
        with playing(settings, deployment, SECOND) as second:
            _until(lambda: second.answer("/readyz") == 200, "the second pod is ready", second)
            told["memory (PSS), MB"] = [round(pod.memory() / 1e6) for pod in (first, second)]
            _until(lambda: neighbours.read >= 160, "160 sections are read", first)
            before = first.pid
            first.kill()
            _until(lambda: first.pid not in {0, before}, "the killed worker is started again", first)
            _until(lambda: neighbours.read >= 260, "260 sections are read", second)
            began = time.monotonic()
            assert second.stop(grace=120) == 0
            told["SIGTERM to exit, s"] = time.monotonic() - began
        left = neighbours.parts.store.progress(neighbours.run.id).unread
        assert left > 0, "the pods came and went too late to matter"
        _until(lambda: neighbours.read == SECTIONS, "every section is read", first)
        assert first.answer("/healthz") == 200
        assert first.stop(grace=120) == 0
    with capsys.disabled():
        print(f"\n{told}")
    progress = pipeline.settle(neighbours.run.id, neighbours.parts.store, neighbours.parts.queue)
    assert (progress.tasks, progress.read, progress.dead) == (SECTIONS, SECTIONS, 0)
    assert len(neighbours.parts.store.predictions(neighbours.run.id, "one")) == SECTIONS
    assert neighbours.parts.queue.status().length == 0


@pytest.fixture(scope="session")
def manifests(image: str) -> list[dict[str, Any]]:
    """What a worker needs of the chart, its Deployment last."""
    sys.path.append(str(ROOT / "tests" / "helm"))
    from helm_binaries import NoHelm
    from helm_chart import render

    name, _, tag = image.partition(":")
    try:
        rendered = render({"image": {"repository": name, "tag": tag}, "secrets": {"existingSecret": SECRET}})
    except NoHelm as missing:
        pytest.skip(str(missing))
    return [rendered.one("ConfigMap", "settings"), rendered.one("Deployment", "section-reader")]


@contextmanager
def _bridge(image: str) -> Iterator[tuple[str, str]]:
    """Gateway and subnet of podman's default network, which is up while a container is on it."""
    (network,) = json.loads(podman("network", "inspect", "podman"))
    subnet = network["subnets"][0]
    holder = podman("run", "--detach", "--rm", image, "python", "-c", "import time; time.sleep(7200)")
    try:
        yield subnet["gateway"], subnet["subnet"]
    finally:
        podman("kill", holder)


@contextmanager
def _redis(address: str, folder: Path) -> Iterator[str]:
    with socket.create_server((address, 0)) as probe:
        port = probe.getsockname()[1]
    password = secrets.token_hex(16)
    command = [find_redis_server(), "--bind", address, "--port", str(port), "--requirepass", password, "--save", ""]
    server = start_child([*command, "--dir", folder], output=subprocess.DEVNULL)
    try:
        yield f"redis://:{password}@{address}:{port}/0"
    finally:
        end_child(server)


def _feed(settings: Settings, parts: wiring.Parts) -> Run:
    run = pipeline.open_run(
        parts.store, pipeline.RunRequest([Company(id="one", name="One", domain="one.example", url=HOME)])
    )
    sections = tuple(_notice(number) for number in range(SECTIONS))
    record = SiteRecord(run.id, "one", SiteStatus.READ, "", 1, "en", now(), sections=sections)
    parts.store.save_site(record)
    pipeline.enqueue_company(run, record, wiring.crawl_tools(settings, parts.store, parts.queue))
    return run


def _notice(number: int) -> Section:
    """A section of 16 sentences like no other."""
    return section_of(
        f"Line {line} of notice {number}: the works at dock {line * number % 97} load until nine."
        for line in range(1, 17)
    )


def _until(true: Callable[[], bool], what: str, pod: WorkerPod, seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{pod.log()[-3000:]}"
        time.sleep(0.05)
