"""From settings to parts. Nothing here runs at import; each door calls what it needs.

What nearly every door needs is imported at the top; the rest, where it is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from credit_signals.domain import RegisteredReader
from credit_signals.errors import ConfigurationError, ModelRefused, ReaderUnknown
from credit_signals.inference.base import Reader
from credit_signals.inference.manifest import reader_id
from credit_signals.pipeline import NoTraces, ReaderShelf, Traces
from credit_signals.settings import PROJECT_ROOT, Settings, secret
from credit_signals.store import SqlStore
from credit_signals.store.base import ResultsStore, SchemaChange
from credit_signals.task_queue import EmbeddedRedis, QueueOptions, RedisQueue
from credit_signals.task_queue.base import TaskQueue
from credit_signals.telemetry.traces import export_traces

if TYPE_CHECKING:
    from credit_signals.crawl import FetchLimits
    from credit_signals.pipeline import CrawlTools
    from credit_signals.scaling import SizingRule, WorkerDeployment
    from credit_signals.scoring import Weights
    from credit_signals.tuning.life.tools import Tools


def open_traces(settings: Settings, service: str) -> Traces:
    """The traces of this process, under the name credit-signals-`service`. Raises ConfigurationError."""
    return export_traces(f"credit-signals-{service}") if settings.traces else NoTraces()


def open_store(settings: Settings) -> ResultsStore:
    """The results store, its schema up to date. Raises StoreUnavailable."""
    store = SqlStore(settings.store)
    store.migrate()
    return store


def migrate_store(settings: Settings) -> SchemaChange:
    """Bring the store's schema up to date. Raises StoreUnavailable, and StoreError for a later version's schema."""
    store = SqlStore(settings.store)
    try:
        return store.migrate()
    finally:
        store.close()


def open_queue(settings: Settings, impatient: bool = False) -> TaskQueue:
    """The task queue at `redis_url`. Raises ConfigurationError when none is set.

    `impatient`: no call is repeated, or waits long for an answer: to look at the queue, not to work on it.
    """
    url = settings.redis_url.get_secret_value()
    if not url:
        raise ConfigurationError(
            "no task queue: set CREDIT_SIGNALS_REDIS_URL, or use `credit-signals run`, which starts a Redis of its own"
        )
    options = QueueOptions(
        max_length=settings.queue_length,
        idle_seconds=settings.queue_idle_seconds,
        max_attempts=settings.queue_attempts,
    )
    return RedisQueue(url, options=replace(options, retries=0, timeout_seconds=3.0) if impatient else options)


def open_configured_reader(settings: Settings) -> Reader:
    """The reader of the settings' manifest. Raises ModelRefused."""
    from credit_signals.inference.opening import open_reader

    return open_reader(settings.reader_manifest)


def open_promoted_reader(settings: Settings) -> Reader | None:
    """The reader that was promoted last, or None. Raises ModelRefused, StoreUnavailable.

    A store that nobody has made yet is not made for the question.
    """
    if not settings.store_exists:
        return None
    store = open_store(settings)
    try:
        present = store.present_reader()
        return open_registered(present) if present else None
    finally:
        store.close()


def open_present_reader(settings: Settings) -> Reader:
    """The promoted reader; that of the settings while there is none. Raises ModelRefused, StoreUnavailable."""
    return open_promoted_reader(settings) or open_configured_reader(settings)


def place_for_workers(manifest: Path) -> str:
    """How a registration names a manifest: relative to the sources if it lies beside them, so that images find it."""
    place = manifest.resolve()
    return str(place.relative_to(PROJECT_ROOT) if place.is_relative_to(PROJECT_ROOT) else place)


def manifest_of(registered: RegisteredReader) -> Path:
    """Where this process finds the manifest of a registered reader."""
    return PROJECT_ROOT / registered.manifest  # an absolute path stays as it is


def open_registered(registered: RegisteredReader) -> Reader:
    """A registered reader. Raises ModelRefused, also when its manifest makes another reader by now."""
    from credit_signals.inference.opening import open_reader

    manifest = manifest_of(registered)
    reader = open_reader(manifest)
    if reader.id != registered.id:
        reader.close()
        raise ModelRefused(f"{manifest}: makes reader {reader.id} by now, and was registered as {registered.id}")
    return reader


def open_shelf(
    settings: Settings, store: ResultsStore, opened: Callable[[float], None] = lambda seconds: None
) -> ReaderShelf:
    """The readers of a worker: those registered in the store, and that of the settings. `opened`: see ReaderShelf."""

    def find(wanted: str) -> Reader:
        registered = store.reader(wanted)
        if registered:
            return open_registered(registered)
        if wanted == reader_id(settings.reader_manifest):
            return open_configured_reader(settings)
        raise ReaderUnknown(
            f"reader {wanted} is neither registered (`credit-signals readers list`) nor that of "
            f"{settings.reader_manifest}; register its manifest and `credit-signals queue retry`, or crawl again"
        )

    return ReaderShelf(find, opened=opened)


def present_reader_id(settings: Settings, store: ResultsStore) -> str:
    """The id of the reader that new runs are read by. Raises ModelRefused, StoreUnavailable."""
    present = store.present_reader()
    return present.id if present else reader_id(settings.reader_manifest)


def life_tools(settings: Settings, by: str, key_env: str = "") -> Tools:
    """What the life of a reader needs; the teacher's key is in the variable `key_env`. Raises ConfigurationError."""
    from credit_signals.tuning.life.tools import Tools

    return Tools(
        open_store=lambda: open_store(settings),
        manifest_of=manifest_of,
        place_for_workers=place_for_workers,
        configured=settings.reader_manifest,
        by=by,
        key=secret(key_env),
    )


def open_weights(settings: Settings) -> Weights:
    """The gauge's weights. Raises ConfigurationError."""
    from credit_signals.scoring import load_weights

    return load_weights(settings.weights)


def open_deployment(settings: Settings) -> WorkerDeployment:
    """The Deployment of workers that is scaled. Raises ConfigurationError when none is set."""
    from credit_signals.scaling import KubernetesDeployment

    if not settings.scale_deployment:
        raise ConfigurationError(
            "no cluster is configured: set CREDIT_SIGNALS_SCALE_DEPLOYMENT to namespace/name of the worker Deployment"
        )
    return KubernetesDeployment(settings.scale_deployment, settings.scale_kubeconfig)


def sizing_rule(settings: Settings) -> SizingRule:
    """Between how many workers a run may choose. Raises ConfigurationError."""
    from credit_signals.scaling import SizingRule

    return SizingRule(floor=settings.scale_floor, ceiling=settings.scale_ceiling)


def fetch_limits(settings: Settings) -> FetchLimits:
    """The limits of every request."""
    from credit_signals.crawl import FetchLimits

    return FetchLimits(
        user_agent=settings.user_agent,
        allow_private_network=settings.allow_private_network,
        connect_to=settings.connect_to,
        min_delay=settings.min_delay,
        max_bytes=settings.page_bytes,
    )


def crawl_tools(settings: Settings, store: ResultsStore, queue: TaskQueue | None) -> CrawlTools:
    """What crawling needs."""
    from credit_signals.pipeline import CrawlTools

    return CrawlTools(
        store=store,
        queue=queue,
        reader_id=reader_id(settings.reader_manifest),
        archive_dir=settings.archive_dir,
        limits=fetch_limits(settings),
        hosts=settings.hosts,
        traces=open_traces(settings, "crawl"),
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """Store and queue, open."""

    store: ResultsStore
    queue: TaskQueue


@contextmanager
def opened(settings: Settings) -> Iterator[Parts]:
    """Store and queue for the length of a block."""
    store = open_store(settings)
    try:
        queue = open_queue(settings)
        try:
            yield Parts(store, queue)
        finally:
            queue.close()
    finally:
        store.close()


@contextmanager
def with_redis(settings: Settings) -> Iterator[Settings]:
    """The settings with a Redis: the one that is set, or one of its own in the data folder, ended with the block."""
    if settings.redis_url.get_secret_value():
        yield settings
        return
    with EmbeddedRedis(settings.data_dir / "redis") as redis:
        yield settings.model_copy(update={"redis_url": type(settings.redis_url)(redis.url)})
