"""The sample web's server on real connections."""

from __future__ import annotations

import gzip
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sample_web.server import Fault, SampleWeb, Sites, load_faults, parse_head

SAMPLE_WEB = Path(__file__).resolve().parents[1] / "sample_web"
FAULTS = [
    Fault("one.example", "/away", "redirect", status=301, to="http://two.example{path}"),
    Fault("one.example", "/busy", "status", status=503, retry_after=7, times=1),
    Fault("one.example", "/large", "big", size=3_000_000),
    Fault("one.example", "/bomb", "bomb", size=5_000_000),
    Fault("one.example", "/drip", "trickle", seconds=60),
    Fault("one.example", "/about.html", "content_type", value="text/html; charset=koi8-r"),
    Fault("dead.example", "*", "drop"),
]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[SampleWeb]:
    """Two small sites, and a secret beside them."""
    (tmp_path / "secret.txt").write_text("secret")
    for name in ("one", "two"):
        folder = tmp_path / "sites" / name
        (folder / "sub").mkdir(parents=True)
        (folder / "index.html").write_text(f"<title>{name}</title><p>Café {name}", "utf-8")
        (folder / "about.html").write_text("<p>About")
        (folder / "sub" / "index.html").write_text("<p>Sub")
    (tmp_path / "sites" / "one" / "link.txt").symlink_to(tmp_path / "secret.txt")
    with SampleWeb(tmp_path / "sites", FAULTS, host_pattern="{name}.example") as served:
        yield served


def ask(
    web: SampleWeb, host: str, path: str = "/", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (names in lower case) and body of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    try:
        connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": host, **(headers or {})}.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def test_hosts_have_their_own_files(web: SampleWeb) -> None:
    """The Host header chooses the site, with or without www and a port."""
    assert b"one" in ask(web, "one.example")[2]
    assert b"two" in ask(web, "www.TWO.example:80")[2]
    assert ask(web, "three.example")[0] == 404


def test_addresses_find_files(web: SampleWeb) -> None:
    """Folders, clean addresses and missing pages are answered as web servers do."""
    assert ask(web, "one.example", "/sub/")[0] == 200
    assert ask(web, "one.example", "/sub")[:2][1]["location"] == "/sub/"
    assert ask(web, "two.example", "/about")[2] == b"<p>About"
    assert ask(web, "one.example", "/none")[0] == 404


@pytest.mark.parametrize(
    "path", ["/../../secret.txt", "/%2e%2e/%2e%2e/secret.txt", "//etc/passwd", "/link.txt", "/a%00b", "/" + "x" * 5000]
)
def test_nothing_outside_a_site_is_served(web: SampleWeb, path: str) -> None:
    """Neither dots, links, absolute paths nor odd names lead out of a site's folder."""
    status, _, body = ask(web, "one.example", path)
    assert status == 404
    assert b"secret" not in body


@given(st.lists(st.sampled_from(["..", ".", "", "/", "index", ".html", "\0", "about.htm", "~", "é"])).map("/".join))
def test_no_path_leads_out(path: str) -> None:
    """Whatever the path, a found file lies in the site's folder."""
    sites = Sites(SAMPLE_WEB / "sites")
    file = sites.find("harrowlea-castings.example", path)
    assert file is None or file.is_relative_to(sites.roots["harrowlea-castings.example"])


@given(st.binary())
def test_heads_are_read_or_refused(head: bytes) -> None:
    """Any bytes are either a request or refused with ValueError."""
    with suppress(ValueError):
        assert parse_head(head).path


def test_unchanged_pages_are_not_sent_again(web: SampleWeb) -> None:
    """ETag and Last-Modified are honoured; an edit changes both."""
    _, headers, body = ask(web, "two.example")
    by_tag = {"If-None-Match": headers["etag"]}
    by_time = {"If-Modified-Since": headers["last-modified"]}
    assert [ask(web, "two.example", "/", each)[0] for each in (by_tag, by_time)] == [304, 304]
    web.edit("two.example", "/", "Café", "Tearoom")
    assert [ask(web, "two.example", "/", each)[0] for each in (by_tag, by_time)] == [200, 200]
    assert ask(web, "two.example")[2] == body.replace("Café".encode(), b"Tearoom")
    with pytest.raises(ValueError, match="does not contain"):
        web.edit("two.example", "/", "Café", "Inn")


def test_text_is_compressed_on_request(web: SampleWeb) -> None:
    """Gzip is used only where the client takes it."""
    status, headers, body = ask(web, "one.example", "/", {"Accept-Encoding": "gzip, br"})
    assert (status, headers["content-encoding"]) == (200, "gzip")
    assert gzip.decompress(body) == ask(web, "one.example")[2]


def test_faults_are_served(web: SampleWeb) -> None:
    """Each fault answers as it is described."""
    assert ask(web, "one.example", "/away?q=1")[1]["location"] == "http://two.example/away?q=1"
    first = ask(web, "one.example", "/busy")
    assert (first[0], first[1]["retry-after"]) == (503, "7")
    assert ask(web, "one.example", "/busy")[0] == 404
    assert len(ask(web, "one.example", "/large")[2]) >= 3_000_000
    assert len(gzip.decompress(ask(web, "one.example", "/bomb")[2])) >= 5_000_000
    assert ask(web, "one.example", "/about.html")[1]["content-type"] == "text/html; charset=koi8-r"


def test_dead_hosts_do_not_answer(web: SampleWeb) -> None:
    """A dropped host resets the connection, and `connect_to` sends clients to a port that refuses."""
    with pytest.raises(ConnectionResetError):
        ask(web, "dead.example")
    address, port = web.connect_to["dead.example"].split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, int(port)))


def test_requests_are_recorded(web: SampleWeb) -> None:
    """The request log tells who asked for what and how it ended."""
    ask(web, "one.example", "/sub/", {"User-Agent": "tester", "If-None-Match": '"x"'})
    (hit,) = [hit for hit in web.hits if hit.target == "/sub/"]
    assert (hit.host, hit.status, hit.user_agent, hit.conditional) == ("one.example", 200, "tester", True)
    assert hit.started <= hit.answered


def test_many_clients_at_once(web: SampleWeb) -> None:
    """Hundreds of open connections are served side by side, a silent one included."""
    with socket.create_connection(("127.0.0.1", web.port)), ThreadPoolExecutor(200) as threads:
        statuses = list(threads.map(lambda _: ask(web, "one.example")[0], range(400)))
    assert statuses == [200] * 400


def test_rubbish_ends_only_its_connection(web: SampleWeb) -> None:
    """What is not HTTP is hung up on, and the next client is served."""
    for rubbish in (b"\x16\x03\x01\x00\xa5\r\n\r\n", b"GET /\r\n\r\n", b"A" * 200_000 + b"\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", web.port), timeout=10) as connection:
            try:
                connection.sendall(rubbish)
                assert connection.recv(100) == b""
            except ConnectionError:
                pass  # hung up before all was sent
    assert ask(web, "one.example")[0] == 200


def test_stops_with_clients_waiting(tmp_path: Path) -> None:
    """Leaving the block ends a page that never ends."""
    (tmp_path / "one").mkdir()
    with SampleWeb(tmp_path, FAULTS, host_pattern="{name}.example") as web:
        connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
        connection.request("GET", "/drip", headers={"Host": "one.example"})
        assert connection.getresponse().status == 200
        began = time.monotonic()
    assert time.monotonic() - began < 5
    connection.close()


def test_unknown_faults_are_refused(tmp_path: Path) -> None:
    """A misspelt fault is an error, not a page that works."""
    (tmp_path / "faults.toml").write_text('[[fault]]\nhost = "a.example"\npath = "/"\nkind = "explode"\n')
    with pytest.raises(ValueError, match="explode"):
        load_faults(tmp_path / "faults.toml")


def test_process_ends_with_its_parent(tmp_path: Path) -> None:
    """Killing the process that started the server ends the server, and its first line is its port."""
    starter = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, {str(SAMPLE_WEB / 'server.py')!r}, '--port', '0',"
        f" '--companies-out', {str(tmp_path / 'list.csv')!r}], stdout=subprocess.PIPE, text=True)\n"
        "print(child.pid, child.stdout.readline().strip(), flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child, port = map(int, parent.stdout.readline().split())
    socket.create_connection(("127.0.0.1", port)).close()
    assert "harrowlea-castings" in (tmp_path / "list.csv").read_text()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while running(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running(child)


def running(pid: int) -> bool:
    """Whether a process lives (a zombie does not)."""
    try:
        os.kill(pid, 0)
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_process_stops_when_asked() -> None:
    """SIGTERM ends the server with exit code 0."""
    command = [sys.executable, str(SAMPLE_WEB / "server.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert int(server.stdout.readline()) > 0
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0
