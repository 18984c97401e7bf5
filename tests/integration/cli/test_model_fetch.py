"""`credit-signals model fetch` against a real HTTP server that breaks, lies and forgets."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from credit_signals.cli import fetching
from credit_signals.cli.commands import app
from credit_signals.errors import ConfigurationError, ModelRefused
from credit_signals.inference.manifest import write_encoder_manifest

CONTENT = random.Random(1).randbytes(300_000)


def sha256(content: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(content).hexdigest()


@dataclass
class Source:
    """Files by path, and how the server behaves."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    breaks_after: int = 0  # bytes of each answer
    statuses: list[int] = field(default_factory=list)  # of the next answers
    tag: str = '"1"'
    new_tag_after: int = 0  # requests; the content is another from then on
    ignores_ranges: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)  # path and Range


def handler_of(source: Source) -> type[BaseHTTPRequestHandler]:
    """The handler that serves it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            source.asked.append((self.path, wanted))
            if source.new_tag_after and len(source.asked) > source.new_tag_after:
                source.tag, source.files = '"2"', dict.fromkeys(source.files, CONTENT)
            status = source.statuses.pop(0) if source.statuses else 200
            content = source.files.get(self.path.partition("?")[0])
            if status != 200 or content is None:
                self.send_error(status if status != 200 else 404)
                return
            start = 0
            if wanted and not source.ignores_ranges and self.headers.get("If-Range") == source.tag:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            self.send_header("ETag", source.tag)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start : start + source.breaks_after] if source.breaks_after else content[start:])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """A server on loopback, and no long pauses."""
    monkeypatch.setattr(fetching, "LONGEST_PAUSE", 0.01)
    made = Source(files={"/model.gguf": CONTENT})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler_of(made)) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        made.url = f"http://127.0.0.1:{server.server_port}"
        yield made
        server.shutdown()


def left_in(folder: Path) -> list[str]:
    """Names of all files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_file_comes_whole(source: Source, tmp_path: Path) -> None:
    """The command fetches, checks and puts in place, and leaves nothing else."""
    to = tmp_path / "deep" / "model.gguf"
    done = CliRunner().invoke(
        app, ["model", "fetch", f"{source.url}/model.gguf", "--sha256", sha256(CONTENT).upper(), "--to", str(to)]
    )
    assert done.exit_code == 0, done.output
    assert to.read_bytes() == CONTENT
    assert left_in(tmp_path) == ["deep/model.gguf"]


def test_what_is_there_is_not_fetched_again(source: Source, tmp_path: Path) -> None:
    """A container that starts again asks for nothing, but for a file that is another one."""
    to = tmp_path / "model.gguf"
    to.write_bytes(b"of an earlier version")
    for _ in range(2):
        fetching.fetch_file(f"{source.url}/model.gguf", sha256(CONTENT), to)
    assert len(source.asked) == 1
    assert to.read_bytes() == CONTENT


def test_a_broken_transfer_goes_on_where_it_broke(source: Source, tmp_path: Path) -> None:
    """However often the connection breaks: while bytes come, it goes on."""
    source.breaks_after = 30_000
    to = fetching.fetch_file(f"{source.url}/model.gguf", sha256(CONTENT), tmp_path / "model.gguf")
    assert to.read_bytes() == CONTENT
    assert len(source.asked) == 10
    assert source.asked[-1][1] == "bytes=270000-"


def test_a_file_that_changed_meanwhile_is_begun_anew(source: Source, tmp_path: Path) -> None:
    """Halves of two versions are never joined."""
    source.files["/model.gguf"] = CONTENT[::-1]
    source.breaks_after, source.new_tag_after = 200_000, 1
    fetched = fetching.fetch_file(f"{source.url}/model.gguf", sha256(CONTENT), tmp_path / "model.gguf")
    assert fetched.read_bytes() == CONTENT


def test_a_server_without_ranges_is_asked_from_the_beginning(source: Source, tmp_path: Path) -> None:
    """An answer with the whole file replaces what is here."""
    source.ignores_ranges = True
    source.statuses = [200, 200]
    source.breaks_after = 200_000
    with pytest.raises(ModelRefused, match="after 6 attempts"):
        fetching.fetch_file(f"{source.url}/model.gguf", sha256(CONTENT), tmp_path / "model.gguf")
    source.breaks_after = 0
    fetched = fetching.fetch_file(f"{source.url}/model.gguf", sha256(CONTENT), tmp_path / "model.gguf")
    assert fetched.read_bytes() == CONTENT


def test_a_tired_server_is_asked_again(source: Source, tmp_path: Path) -> None:
    """5xx and 429 pass."""
    source.statuses = [503, 429, 500]
    fetched = fetching.fetch_file(f"{source.url}/model.gguf", sha256(CONTENT), tmp_path / "model.gguf")
    assert fetched.read_bytes() == CONTENT


@pytest.mark.parametrize(("path", "statuses", "why"), [("/model.gguf", [403], "403"), ("/none", [], "404")])
def test_a_refusal_is_final(source: Source, tmp_path: Path, path: str, statuses: list[int], why: str) -> None:
    """What asking again cannot mend is said at once."""
    source.statuses = statuses
    with pytest.raises(ModelRefused, match=why):
        fetching.fetch_file(f"{source.url}{path}", sha256(CONTENT), tmp_path / "model.gguf")
    assert len(source.asked) == 1


def test_another_file_is_refused_and_the_old_one_kept(source: Source, tmp_path: Path) -> None:
    """A file of another hash never takes the place of what is there."""
    to = tmp_path / "model.gguf"
    to.write_bytes(b"old")
    done = CliRunner().invoke(
        app, ["model", "fetch", f"{source.url}/model.gguf", "--sha256", "0" * 64, "--to", str(to)]
    )
    assert isinstance(done.exception, ModelRefused)
    assert "SHA-256" in str(done.exception)
    assert to.read_bytes() == b"old"
    assert left_in(tmp_path) == ["model.gguf"]


def test_a_signature_is_not_shown(source: Source, tmp_path: Path) -> None:
    """Addresses in messages lack what would let others in."""
    with pytest.raises(ModelRefused) as refused:
        fetching.fetch_file(f"{source.url}/none?X-Amz-Signature=abc", sha256(CONTENT), tmp_path / "model.gguf")
    assert "abc" not in str(refused.value)


@pytest.mark.parametrize("address", ["ftp://h/model.gguf", "model.gguf", "https://"])
def test_what_is_no_address_is_refused(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that nothing can answer is a deliberate error."""
    monkeypatch.setattr(fetching, "LONGEST_PAUSE", 0.01)
    with pytest.raises(ModelRefused):
        fetching.fetch_file(address, sha256(CONTENT), tmp_path / "model.gguf")


def publish(source: Source, folder: Path) -> str:
    """Put a reader on the server; the hash of its manifest."""
    (folder / "models").mkdir(parents=True)
    for name in ("model.gguf", "heads.npz"):
        (folder / "models" / name).write_bytes(name.encode() * 1000)
    files = {"model": folder / "models" / "model.gguf", "heads": folder / "models" / "heads.npz"}
    write_encoder_manifest(folder / "reader.toml", "1", ["en"], files)
    for name in left_in(folder):
        source.files[f"/readers/{name}"] = (folder / name).read_bytes()
    return sha256((folder / "reader.toml").read_bytes())


def test_a_manifest_brings_its_files(source: Source, tmp_path: Path) -> None:
    """One hash vouches for all: the manifest holds those of its files, which come from beside it."""
    vouched = publish(source, tmp_path / "published")
    to = tmp_path / "here" / "reader.toml"
    arguments = ["model", "fetch", f"{source.url}/readers/reader.toml", f"--sha256={vouched}", f"--to={to}", "--parts"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert left_in(tmp_path / "here") == left_in(tmp_path / "published")


def test_a_part_that_is_another_file_is_refused(source: Source, tmp_path: Path) -> None:
    """A file beside the manifest that is not the one it names is not taken."""
    vouched = publish(source, tmp_path / "published")
    source.files["/readers/models/heads.npz"] = b"another"
    with pytest.raises(ModelRefused, match=r"heads\.npz"):
        list(fetching.fetch_reader(f"{source.url}/readers/reader.toml", vouched, tmp_path / "here" / "reader.toml"))


ENCODER = 'kind = "encoder"\nversion = "1"\nmodel = {file = "FILE", sha256 = "S"}\nheads = {file = "h", sha256 = "S"}'
GENERATIVE = 'kind = "generative"\nversion = "1"\nmodel = {file = "m", sha256 = "S"}\nquestions = {folder = "q"}'
CASCADE = 'kind = "cascade"\nversion = "1"\ncheap = "a"\nsecond = "b"\n[bounds.default]\nlower = 0.1\nupper = 0.9'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (ENCODER.replace("FILE", "../m.gguf"), "beside"),
        (ENCODER.replace("FILE", "/m.gguf"), "beside"),
        (GENERATIVE, "folder"),
        (CASCADE, "cascade"),
        ("kind = 3", "manifest"),
    ],
)
def test_a_manifest_that_cannot_be_vouched_for_is_refused(source: Source, tmp_path: Path, text: str, why: str) -> None:
    """Files elsewhere, and what bears no hash, are not fetched."""
    manifest = text.replace('"S"', f'"{"0" * 64}"').encode()
    source.files["/reader.toml"] = manifest
    with pytest.raises(ModelRefused, match=why):
        list(fetching.fetch_reader(f"{source.url}/reader.toml", sha256(manifest), tmp_path / "here" / "reader.toml"))
    assert [path for path, _ in source.asked] == ["/reader.toml"]


def test_a_signed_manifest_is_refused(tmp_path: Path) -> None:
    """A signature opens one file: the manifest's others could not be fetched with it."""
    with pytest.raises(ConfigurationError, match="signed"):
        list(fetching.fetch_reader("https://h/reader.toml?signature=1", "0" * 64, tmp_path / "reader.toml"))


def test_a_bucket_is_asked_with_a_signature(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An s3:// address is signed with the keys in the environment, for the endpoint that AWS' variables name."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_S3": source.url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    source.files = {"/models/readers/model.gguf": CONTENT}
    source.breaks_after = 200_000
    to = fetching.fetch_file("s3://models/readers/model.gguf", sha256(CONTENT), tmp_path / "model.gguf")
    assert to.read_bytes() == CONTENT
    assert all("X-Amz-Signature=" in path for path, _ in source.asked)


def test_a_bucket_without_keys_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where AWS' rules find no key, the error tells which address could not be signed."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match=r"s3://models/model\.gguf: cannot be signed"):
        fetching.fetch_file("s3://models/model.gguf", "0" * 64, tmp_path / "model.gguf")
