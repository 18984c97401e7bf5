"""Settings, read once at a door (command line, DAG task, worker) from the environment: `CREDIT_SIGNALS_*`."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from credit_signals.domain import DEFAULT_USER_AGENT, Budget
from credit_signals.errors import ConfigurationError

PROJECT_ROOT = Path(__file__).resolve().parents[2]


class LogFormat(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


class Settings(BaseSettings):
    """All that can be set; each field is the environment variable CREDIT_SIGNALS_ + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="CREDIT_SIGNALS_", frozen=True, extra="ignore")

    data_dir: Path = Field(Path(".data"), description="Folder of the embedded store, WARC archive, reports")
    store_url: SecretStr = Field(SecretStr(""), description="Results store (default: SQLite in data_dir)")
    redis_url: SecretStr = Field(SecretStr(""), description="Task queue: redis:// or rediss:// (default: embedded)")
    reader: Path = Field(Path("workers/section_reader/encoder.toml"), description="Manifest of the reader")
    weights: Path | None = Field(None, description="Weights file of the gauge (default: the packaged one)")

    user_agent: str = Field(DEFAULT_USER_AGENT, description="User agent with a contact address")
    allow_private_network: bool = Field(False, description="Allow requests to private and loopback addresses")
    connect_to: dict[str, str] = Field({}, description='Where to connect instead: {"host or *": "address:port"}')
    hosts: int = Field(50, ge=1, description="Sites crawled at once by one process")
    min_delay: float = Field(0.2, ge=0, description="Least seconds between two requests to a host")
    page_bytes: int = Field(5_000_000, ge=1, description="Largest decoded response")
    budget: Budget = Field(Budget(), description="Limits of one company's crawl")

    queue_length: int = Field(50_000, ge=1, description="Sections on the queue at which crawling waits")
    queue_idle_seconds: float = Field(60.0, gt=0, description="Idle time after which others take a section")
    queue_attempts: int = Field(5, ge=1, description="Deliveries before a section becomes a dead letter")
    batch: int = Field(16, ge=1, description="Sections a worker takes at once")

    probe_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of a worker's /healthz, /readyz and /metrics; 0: none. With one, it waits"
        " for a dead queue or store as long as it takes",
    )
    stall_seconds: float = Field(
        300.0, gt=0, description="Seconds without a step of a worker at which /healthz fails; more than a batch takes"
    )
    look_seconds: float = Field(
        15.0,
        gt=0,
        le=15,
        description="Seconds, on average, between looks of a worker with probes at queue and store",
    )
    drain_seconds: float = Field(
        90.0, ge=0, description="Seconds that a worker has after SIGTERM to finish its batch; then it hands it back"
    )
    log_format: LogFormat = Field(LogFormat.TEXT, description="Lines of the log: text, or json (one object per line)")
    traces: bool = Field(
        False, description="Send traces to OTEL_EXPORTER_OTLP_ENDPOINT over HTTP (needs the extra `otel`)"
    )

    scale_deployment: str = Field("", description="Worker Deployment that runs scale: namespace/name (default: none)")
    scale_floor: int = Field(1, ge=0, description="Fewest worker pods")
    scale_ceiling: int = Field(10, ge=1, description="Most worker pods")
    scale_kubeconfig: str = Field("", description="Kubeconfig of the cluster (default: the pod's service account)")
    scale_service_seconds: float = Field(
        0.15, gt=0, description="Seconds of one pod for one section, until a run has measured it"
    )
    scale_look_seconds: float = Field(30.0, gt=0, description="Seconds between two looks of a run at its workers")

    tune_python: Path | None = Field(
        None, description="Python with the extra `tune`, for the DAG fine_tune (default: Airflow's own)"
    )

    def as_environment(self) -> dict[str, str]:
        """The variables that give a child process these settings; holds secrets, so never log it."""
        values = self.model_dump(exclude_none=True)
        return {
            f"CREDIT_SIGNALS_{name.upper()}": value.get_secret_value()
            if isinstance(value, SecretStr)
            else json.dumps(value)
            if isinstance(value, dict)
            else str(value)
            for name, value in values.items()
        }

    @property
    def store(self) -> str:
        """The store's URL."""
        return self.store_url.get_secret_value() or f"sqlite:///{(self.data_dir / 'store.db').resolve()}"

    @property
    def store_exists(self) -> bool:
        """Whether a store was made or is set; asking makes none."""
        return bool(self.store_url.get_secret_value()) or (self.data_dir / "store.db").exists()

    @property
    def archive_dir(self) -> Path:
        """The folder of the WARC files."""
        return self.data_dir / "warc"

    @property
    def reports_dir(self) -> Path:
        """The folder of the HTML reports."""
        return self.data_dir / "reports"

    @property
    def lives_dir(self) -> Path:
        """The folder of the readers' lives that the DAG fine_tune runs."""
        return self.data_dir / "lives"

    @property
    def reader_manifest(self) -> Path:
        """The reader's manifest; a relative path is looked up here, then beside the sources."""
        return beside_sources(self.reader)


def beside_sources(path: Path) -> Path:
    """A relative path that is not here is looked up beside the sources."""
    return path if path.is_absolute() or path.exists() else PROJECT_ROOT / path


def secret(name: str) -> SecretStr | None:
    """The secret in the variable that a caller names; without a name, none. Raises ConfigurationError."""
    if not name:
        return None
    value = os.environ.get(name, "").strip()
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigurationError(f"the environment variable {name} holds no key")
    return SecretStr(value)


def load() -> Settings:
    """Read the environment once. Raises ConfigurationError naming the variables that are wrong, never their values."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = [
            f"CREDIT_SIGNALS_{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise ConfigurationError("; ".join(wrong)) from None  # the cause would show the values
    except SettingsError as error:
        raise ConfigurationError(f"{error}: it must be JSON") from None
