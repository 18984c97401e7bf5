"""Fetching the files of a model over HTTP, from where it broke, and into place only when the SHA-256 is right."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx

from credit_signals.errors import ConfigurationError, ModelRefused
from credit_signals.inference.manifest import CascadeManifest, load_any_manifest
from credit_signals.inference.model_file import check_file, file_hash

log = logging.getLogger(__name__)

ATTEMPTS = 6  # without a byte of progress between them
LONGEST_PAUSE = 15.0  # seconds
SIGNED_SECONDS = 3600
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class _Broken(Exception):
    """A transfer that is worth another attempt."""


def fetch_reader(url: str, sha256: str, to: Path) -> Iterator[Path]:
    """Fetch a manifest and the files that it names; each path when it is in place.

    The files are fetched from beside the manifest and put beside it. Raises ModelRefused, ConfigurationError.
    """
    address, query = url.partition("?")[::2]
    if query:
        raise ConfigurationError(
            f"{address}: a signed address opens one file only, and a manifest names others; use s3://, or no query"
        )
    yield fetch_file(url, sha256, to)
    manifest = load_any_manifest(to)
    if isinstance(manifest, CascadeManifest):
        raise ModelRefused(f"{to}: a cascade names manifests without their hashes; bring it by image or volume")
    if manifest.questions:
        raise ModelRefused(f"{to}: its questions are a folder, which has no hash; bring it by image or volume")
    folder = to.resolve().parent
    for part in (manifest.model, manifest.adapter, manifest.heads, manifest.activity):
        if part is None:
            continue
        target = part.file.resolve()
        if not target.is_relative_to(folder):
            raise ModelRefused(f"{to}: names {part.file}, which does not lie beside it")
        place = quote(target.relative_to(folder).as_posix())
        yield fetch_file(f"{url.rpartition('/')[0]}/{place}", part.sha256, target)


def fetch_file(url: str, sha256: str, to: Path) -> Path:
    """Fetch one file; `to` when it is there with this SHA-256. Raises ModelRefused, ConfigurationError, OSError."""
    if to.is_file() and file_hash(to) == sha256.lower():
        return to
    to.parent.mkdir(parents=True, exist_ok=True)
    half = to.with_name(f".{to.name}.part")
    half.unlink(missing_ok=True)  # of another process: nobody knows which version it began with
    try:
        _download(url, half)
        check_file(half, sha256)
        half.replace(to)
    except ModelRefused as exc:
        raise ModelRefused(f"{_shown(url)}: not put at {to}: {exc}") from exc
    finally:
        half.unlink(missing_ok=True)
    return to


def _download(url: str, half: Path) -> None:
    """All of the file, in as many attempts as that takes while it goes forward. Raises ModelRefused."""
    transfer = _Transfer(_address(url), half)
    failures, reached = 0, 0
    with httpx.Client(follow_redirects=True, timeout=TIMEOUT) as client:
        while True:
            try:
                transfer.go_on(client)
            except (_Broken, httpx.TransportError) as error:
                failures = 1 if transfer.length > reached else failures + 1
                reached = max(reached, transfer.length)
                why = str(error) or type(error).__name__
                if failures >= ATTEMPTS:
                    raise ModelRefused(f"after {failures} attempts: {why}") from error
                pause = min(LONGEST_PAUSE, 0.25 * 2**failures)
                log.warning("%s: %s; goes on at byte %d in %.1f s", _shown(url), why, transfer.length, pause)
                time.sleep(pause)
            else:
                return


@dataclass(slots=True)
class _Transfer:
    """A transfer that goes on where it broke, unless the file has changed meanwhile."""

    address: str
    half: Path
    version: str = ""  # the strong ETag of what `half` is the beginning of

    @property
    def length(self) -> int:
        """Bytes that are here."""
        return self.half.stat().st_size if self.half.exists() else 0

    def go_on(self, client: httpx.Client) -> None:
        """Fetch what is missing. Raises _Broken, httpx.TransportError, ModelRefused."""
        headers = {"Accept-Encoding": "identity"}  # lengths and hash are those of the file as it lies there
        if self.length and self.version:
            headers |= {"Range": f"bytes={self.length}-", "If-Range": self.version}
        try:
            with client.stream("GET", self.address, headers=headers) as response:
                self._take(response)
        except httpx.InvalidURL as exc:
            raise ModelRefused(f"no address: {exc}") from exc
        except httpx.UnsupportedProtocol as exc:
            raise ModelRefused("give an address of https://, http:// or s3://") from exc

    def _take(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            self.half.unlink()
            raise _Broken("the server's file is shorter than what is here: from the beginning")
        if status in AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _Broken(f"the server answers {status}")
        if status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            raise ModelRefused(f"the server answers {status}")
        goes_on = status == HTTPStatus.PARTIAL_CONTENT
        if goes_on and not response.headers.get("Content-Range", "").startswith(f"bytes {self.length}-"):
            self.half.unlink(missing_ok=True)
            raise _Broken("the server goes on elsewhere than asked: from the beginning")
        tag = response.headers.get("ETag", "")
        self.version = "" if tag.startswith("W/") else tag
        with self.half.open("ab" if goes_on else "wb") as file:
            for block in response.iter_raw():  # of no fixed size: what has come is kept when the rest does not
                file.write(block)


def _shown(url: str) -> str:
    """The address without what may be secret in it: user, password, signature."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _address(url: str) -> str:
    """The address to ask: an s3:// one is signed with the role or key that AWS' own rules find."""
    if not url.startswith("s3://"):
        return url
    bucket, _, key = url.removeprefix("s3://").partition("/")
    try:
        from botocore.config import Config  # noqa: PLC0415  # optional
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
        from botocore.session import get_session  # noqa: PLC0415
    except ImportError as exc:
        raise ConfigurationError(f"{url}: s3:// needs the extra `s3`: install credit-signals[s3]") from exc
    try:
        client = get_session().create_client("s3", config=Config(signature_version="s3v4"))
        wanted = {"Bucket": bucket, "Key": key}
        return str(client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=SIGNED_SECONDS))
    except (BotoCoreError, ValueError) as exc:
        raise ConfigurationError(f"{url}: cannot be signed: {exc}") from exc
