"""What only a real Redis can show: lost connections, lost groups, killed processes, TLS, passwords, cluster mode."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from queue_brokers import BROKERS, Broker, make_tasks, redis_binary, until
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from credit_signals.children import end_child, start_child
from credit_signals.errors import ConfigurationError, QueueError, QueueUnavailable
from credit_signals.task_queue import EmbeddedRedis, QueueOptions, RedisQueue
from credit_signals.task_queue.keys import GROUP, QueueKeys

QUICK = QueueOptions(retries=0, timeout_seconds=2)
PASSWORD = "s3cret-p@ss:word"
PASSWORD_IN_URL = "s3cret-p%40ss%3Aword"

HOLDER = """
import sys, time
from credit_signals.task_queue import RedisQueue, QueueOptions
queue = RedisQueue(sys.argv[1], sys.argv[2], "holder", QueueOptions(idle_seconds=0.3))
print(len(queue.take(5, 10)), flush=True)
time.sleep(600)
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _server(name: str, directory: Path, *options: str, port_option: str = "--port") -> Iterator[int]:
    """A Redis on a loopback port with options of its own."""
    port = _free_port()
    command = [redis_binary(name), "--bind", "127.0.0.1", "--port", "0", "--save", "", "--dir", directory, *options]
    child = start_child([*command, port_option, str(port)], output=subprocess.DEVNULL)
    try:
        yield port
    finally:
        end_child(child)


def _when_up(url: str, options: QueueOptions = QUICK) -> RedisQueue:
    queue = RedisQueue(url, options=options)

    def up() -> bool:
        try:
            queue.status()
        except QueueUnavailable:
            return False
        return True

    until(up)
    return queue


def test_a_flushed_server_gets_its_group_again(redis_broker: Broker) -> None:
    """FLUSHALL, or a failover to an empty replica, stops neither producers nor consumers."""
    queue = redis_broker.queue()
    queue.put(make_tasks(2))
    held = queue.take(1, 0)
    with Redis.from_url(redis_broker.url) as client:
        client.flushall()
    queue.extend(held)
    queue.ack(held)
    assert queue.status().length == 0
    assert queue.take(1, 0.05) == []
    queue.put(make_tasks(1))
    assert len(queue.take(5, 1)) == 1


def test_a_group_lost_while_waiting_is_made_again(redis_broker: Broker) -> None:
    """A consumer in the middle of its blocking read survives the loss of the group and sees what comes next."""
    waiting, producer = redis_broker.queue("waiting"), redis_broker.queue("producer")
    producer.put(make_tasks(1))
    waiting.ack(waiting.take(1, 1))
    with ThreadPoolExecutor(1) as pool, Redis.from_url(redis_broker.url) as client:
        answer = pool.submit(waiting.take, 1, 20)
        client.xgroup_destroy(QueueKeys(redis_broker.kind).tasks, GROUP)
        producer.put(make_tasks(1))
        assert len(answer.result(10)) == 1


def test_entries_deleted_by_hand_do_not_stay_pending(redis_broker: Broker) -> None:
    """Redis 6.2 keeps entries pending that were deleted (an operator's XTRIM): they are cleaned away."""
    queue = redis_broker.queue(idle_seconds=0.02)
    queue.put(make_tasks(4))
    queue.take(3, 0)
    with Redis.from_url(redis_broker.url) as client:
        client.xtrim(QueueKeys(redis_broker.kind).tasks, maxlen=0, approximate=False)
    until(lambda: queue.take(10, 0) == [] and queue.status().pending == 0)
    assert queue.status().lag == 0


def test_the_lag_is_what_redis_7_counts_itself(redis_broker: Broker) -> None:
    """Scalers that ask Redis for the group's lag see the number that the status shows."""
    queue = redis_broker.queue()
    queue.put(make_tasks(9))
    queue.ack(queue.take(3, 0))
    queue.take(2, 0)
    with Redis.from_url(redis_broker.url) as client:
        [group] = client.xinfo_groups(QueueKeys(redis_broker.kind).tasks)
    assert group.get("lag", 4) == queue.status().lag == 4


def test_put_takes_few_round_trips(redis_broker: Broker) -> None:
    """A thousand tasks travel in two calls."""
    with Redis.from_url(redis_broker.url) as client:
        queue = redis_broker.queue()
        queue.put(make_tasks(1))
        client.config_resetstat()
        queue.put(make_tasks(1000))
        assert client.info("commandstats")["cmdstat_evalsha"]["calls"] == 2


def test_the_work_of_a_killed_process_is_delivered_again(redis_broker: Broker) -> None:
    """kill -9 of a reader loses nothing."""
    queue = redis_broker.queue(idle_seconds=0.3)
    tasks = make_tasks(5)
    queue.put(tasks)
    command = [sys.executable, "-c", HOLDER, redis_broker.url, redis_broker.kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"5\n"
        assert queue.take(5, 0) == []
        os.kill(holder.pid, signal.SIGKILL)
    found = until(lambda: queue.take(5, 0))
    assert [d.task for d in found] == tasks
    assert {d.attempts for d in found} == {2}


@pytest.mark.parametrize("name", BROKERS[1:])
def test_a_restarted_server_goes_on_where_it_was_killed(name: str, tmp_path: Path) -> None:
    """Tasks, deliveries and the group survive kill -9 of Redis; a waiting consumer reconnects by itself."""
    binary = redis_binary(name)
    with EmbeddedRedis(tmp_path, binary) as first:
        queue = RedisQueue(first.url, options=QueueOptions(idle_seconds=0.2))
        queue.put(make_tasks(5))
        assert len(queue.take(2, 0)) == 2
        time.sleep(1.1)  # the append-only file is synced each second
        os.kill(first.pid, signal.SIGKILL)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(queue.take, 5, 20)
        with EmbeddedRedis(tmp_path, binary):
            got = waiting.result(20)
            while len(got) < 5:
                got += queue.take(5, 1)
            assert len({d.task.id for d in got}) == 5
            queue.close()


def test_a_dead_server_is_an_error_in_our_words(tmp_path: Path) -> None:
    """Every method says where Redis does not answer, and closing is still possible."""
    queue = RedisQueue(f"redis://:{PASSWORD_IN_URL}@127.0.0.1:{_free_port()}/0", options=QUICK)
    calls: list[Callable[[], object]] = [
        lambda: queue.put(make_tasks(1)),
        lambda: queue.take(1, 1),
        queue.status,
        queue.dead_letters,
        queue.retry_dead,
        queue.purge_dead,
    ]
    for call in calls:
        with pytest.raises(QueueUnavailable, match=r"redis://127\.0\.0\.1:\d+ does not answer") as caught:
            call()
        assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"
    queue.close()


def test_a_server_that_accepts_and_says_nothing_is_unavailable() -> None:
    """A hanging server costs the timeout, not for ever."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        options = QueueOptions(retries=0, timeout_seconds=0.2)
        queue = RedisQueue(f"redis://127.0.0.1:{deaf.getsockname()[1]}", options=options)
        with pytest.raises(QueueUnavailable):
            queue.status()
        queue.close()


def test_a_full_server_is_unavailable_not_broken(tmp_path: Path) -> None:
    """Redis without memory refuses writes: waiting may help, so the error is the one that callers wait on."""
    with _server("redis-6.2", tmp_path, "--maxmemory", "1mb") as port:
        queue = _when_up(f"redis://127.0.0.1:{port}")
        with pytest.raises(QueueUnavailable, match="OOM"):
            queue.put(make_tasks(5000))
        queue.close()


@pytest.mark.parametrize("name", BROKERS[1:])
def test_a_password_is_used_and_never_shown(name: str, tmp_path: Path) -> None:
    """The right password works; a wrong or missing one is a QueueError at once, with no password in it."""
    with _server(name, tmp_path, "--requirepass", PASSWORD) as port:
        queue = _when_up(f"redis://:{PASSWORD_IN_URL}@127.0.0.1:{port}/0")
        queue.put(make_tasks(1))
        assert len(queue.take(1, 1)) == 1
        queue.close()
        for login in ("", ":wrong-s3cret@", "somebody:s3cret@"):
            refused = RedisQueue(f"redis://{login}127.0.0.1:{port}/0")
            began = time.monotonic()
            with pytest.raises(QueueError, match="refuses us") as caught:
                refused.status()
            assert not isinstance(caught.value, QueueUnavailable)
            assert time.monotonic() - began < 1, "what is refused is not tried again"
            assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"
            refused.close()


@pytest.mark.parametrize(
    "url",
    [
        "redis://:s3cret@host:port/0",
        "redis://:s3cret@host:99999/0",
        "redis://:s3cret@[::1/0",
        "http://:s3cret@host/0",
        "s3cret",
        "",
        "redis://:s3cret@host/0?socket_timeout=s3cret",
    ],
)
def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    """A wrong URL is a ConfigurationError without the URL, for it may hold a password."""
    with pytest.raises(ConfigurationError) as caught:
        RedisQueue(url)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_queue_connects_at_its_first_call() -> None:
    """Making a queue needs no server."""
    queue = RedisQueue("redis://127.0.0.1:1/0")
    assert queue.consumer
    queue.close()


def _certificate(directory: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    moment = datetime.now(UTC)
    certificate = (
        builder.not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = directory / "server.pem", directory / "server.key"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, private


def test_tls_by_url(tmp_path: Path) -> None:
    """rediss:// checks the server's certificate against the CA that the URL names, and refuses an unknown one."""
    pem, private = _certificate(tmp_path)
    files = ["--tls-cert-file", str(pem), "--tls-key-file", str(private), "--tls-ca-cert-file", str(pem)]
    options = [*files, "--tls-auth-clients", "no"]
    with _server("redis-7", tmp_path, *options, port_option="--tls-port") as port:
        queue = _when_up(f"rediss://localhost:{port}/0?ssl_ca_certs={pem}")
        queue.put(make_tasks(1))
        assert len(queue.take(1, 1)) == 1
        queue.close()
        stranger = RedisQueue(f"rediss://localhost:{port}/0", options=QUICK)
        with pytest.raises(QueueUnavailable, match=r"(?i)certificate"):
            stranger.status()
        stranger.close()


def test_scripts_and_keys_work_in_cluster_mode(tmp_path: Path) -> None:
    """In a cluster a script may touch only declared keys of one slot; every call passes that check."""
    bus = str(_free_port())  # left alone, it is the port + 10000, which need not exist
    options = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-port", bus]
    with _server("redis-7", tmp_path, *options) as port:
        with Redis(port=port) as client:
            until(lambda: _pings(client))
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            until(lambda: b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO", NEVER_DECODE=True))
        queue = RedisQueue(f"redis://127.0.0.1:{port}", options=QueueOptions(max_attempts=1))
        queue.put(make_tasks(4))
        first, second, third, fourth = queue.take(4, 0)
        assert queue.fail(first, "broken")
        queue.release([second])
        queue.extend([third])
        queue.ack([fourth])
        assert queue.retry_dead() == 1
        assert queue.purge_dead() == 0
        assert queue.status().length == 3
        queue.close()


def _pings(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisConnectionError:
        return False
