"""The embedded Redis: its start, its data and its end."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from queue_brokers import BROKERS, make_tasks, redis_binary, until

from credit_signals.errors import ConfigurationError, QueueError, QueueUnavailable
from credit_signals.task_queue import EmbeddedRedis, RedisQueue, embedded, find_redis_server

OWNER = """
import sys, time
from pathlib import Path
from credit_signals.task_queue import EmbeddedRedis, RedisQueue
with EmbeddedRedis(Path(sys.argv[1])) as redis:
    print(redis.pid, redis.url, flush=True)
    time.sleep(600)
"""


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("name", BROKERS[1:])
def test_tasks_survive_an_orderly_end(name: str, tmp_path: Path) -> None:
    """What was queued is there at the next start in the same directory."""
    tasks = make_tasks(3)
    for start in range(2):
        with EmbeddedRedis(tmp_path / "redis", redis_binary(name)) as redis:
            queue = RedisQueue(redis.url)
            if start == 0:
                queue.put(tasks)
            else:
                assert [d.task for d in queue.take(10, 0)] == tasks
            queue.close()


def test_the_server_ends_with_a_killed_owner(tmp_path: Path) -> None:
    """kill -9 of the owner leaves no server, and the next start finds the directory free."""
    redis_binary("redis-6.2")
    with subprocess.Popen([sys.executable, "-c", OWNER, tmp_path], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        pid, url = owner.stdout.readline().split()
        queue = RedisQueue(url.decode())
        queue.put(make_tasks(1))
        queue.close()
        os.kill(owner.pid, signal.SIGKILL)
    with EmbeddedRedis(tmp_path) as redis:
        assert not _alive(int(pid))
        queue = RedisQueue(redis.url)
        assert queue.status().length == 1
        queue.close()


def _open_files(pid: int) -> set[str]:
    """What the open files of a process are; one that it closes meanwhile is none."""
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(link.readlink()))
    return found


def test_it_is_closed_to_others(tmp_path: Path) -> None:
    """No port is opened, and directory and socket belong to the user alone."""
    binary = redis_binary("redis-6.2")
    with EmbeddedRedis(tmp_path / "redis", binary) as redis:
        listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        inodes = {line.split()[9] for line in listening.splitlines() if len(line.split()) > 9}
        assert not {f"socket:[{inode}]" for inode in inodes} & _open_files(redis.pid)
        assert stat.S_IMODE((tmp_path / "redis").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "redis" / "redis.sock").stat().st_mode) == 0o700
        pid = redis.pid
    assert not _alive(pid)
    with pytest.raises(QueueError, match="is not running"):
        _ = redis.pid


def test_one_server_per_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second owner is refused before it can harm the first one's file."""
    monkeypatch.setattr(embedded, "LEAVE_SECONDS", 0.2)
    binary = redis_binary("redis-6.2")
    with EmbeddedRedis(tmp_path, binary) as first:
        with pytest.raises(QueueError, match="another Redis works in"), EmbeddedRedis(tmp_path, binary):
            pass
        queue = RedisQueue(first.url)
        assert queue.status().length == 0
        queue.close()


def test_a_long_or_odd_path_works(tmp_path: Path) -> None:
    """The length limit of unix sockets does not limit the data folder, nor do blanks and non-ASCII letters."""
    for directory in (tmp_path / ("long" * 30), tmp_path / "Füße und %41 #?"):
        with EmbeddedRedis(directory, redis_binary("redis-6.2")) as redis:
            queue = RedisQueue(redis.url)
            queue.put(make_tasks(1))
            queue.close()
        assert (directory / "appendonly.aof").stat().st_size
        assert not Path(redis.url.removeprefix("unix://")).exists()


def test_a_start_that_fails_shows_the_log(tmp_path: Path) -> None:
    """A damaged file is an error with the server's own words, and nothing stays behind."""
    binary = redis_binary("redis-6.2")
    (tmp_path / "appendonly.aof").write_bytes(b"this is no append-only file\r\n" * 10)
    with (
        pytest.raises(QueueUnavailable, match=r"did not start; its log ends with: .*"),
        EmbeddedRedis(tmp_path, binary),
    ):
        pass


def test_without_a_binary_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the wheel nor a server on PATH: one sentence with three ways out."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"no redis-server: install .* or set CREDIT_SIGNALS_REDIS_URL"):
        find_redis_server()
    server = tmp_path / "redis-server"
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    assert find_redis_server() == server


def test_two_servers_at_once_do_not_meet(tmp_path: Path) -> None:
    """Each directory has a server of its own."""
    binary = redis_binary("redis-6.2")
    with EmbeddedRedis(tmp_path / "a", binary) as one, EmbeddedRedis(tmp_path / "b", binary) as two:
        first, second = RedisQueue(one.url), RedisQueue(two.url)
        first.put(make_tasks(2))
        until(lambda: first.status().length == 2)
        assert second.status().length == 0
        first.close()
        second.close()
