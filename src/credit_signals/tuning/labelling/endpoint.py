"""A chat endpoint that speaks OpenAI's protocol: one request, with retries, over httpx."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypedDict

import httpx
from pydantic import BaseModel, Field, SecretStr, ValidationError

from credit_signals.errors import ConfigurationError, TeacherError, TeacherUnavailable

MOST_BYTES = 1_000_000  # of a response
MOST_WAIT = 600.0  # seconds that an endpoint may ask us to wait
EXCERPT = 200  # characters of a refusal that are shown
REFUSES_ALL = {401, 402, 403, 404, 405}  # key, account or address are wrong: no other request will fare better

AnswerForm = Literal["json_schema", "json_object", "text"]


class ChatMessage(TypedDict):
    """What one side says."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how to ask. `url` is the base that OpenAI clients take, e.g. https://host/v1.

    `form` is how the server is told the schema of the answer: `json_schema` (OpenAI, Bedrock, vLLM, llama-server),
    `json_object` with a schema (llama-cpp-python), or `text`: not at all.
    """

    url: str
    model: str
    key: SecretStr | None = None
    form: AnswerForm = "json_schema"
    most_tokens: int = 400  # of an answer
    timeout: float = 120.0  # seconds
    attempts: int = 6
    backoff: float = 1.0  # seconds before the second attempt; doubled with each further one, and spread

    def __post_init__(self) -> None:
        """Raises ConfigurationError for a URL that is none or holds a password."""
        try:
            parsed = httpx.URL(self.url)
        except (httpx.InvalidURL, ValueError) as exc:
            raise ConfigurationError("the endpoint is no URL; it is like https://host/v1") from exc
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise ConfigurationError("the endpoint is no http or https URL; it is like https://host/v1")
        if parsed.userinfo or parsed.query:
            raise ConfigurationError("the endpoint's URL holds a password or a query: give the key by --key-env")

    @property
    def address(self) -> str:
        """Where chats are posted."""
        return f"{self.url.rstrip('/')}/chat/completions"

    def body(self, messages: Sequence[ChatMessage], name: str, schema: dict[str, Any]) -> dict[str, Any]:
        """The request: the same for equal questions, so that its hash names the answer."""
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(messages),
            "temperature": 0,
            "max_tokens": self.most_tokens,
        }
        if self.form == "json_schema":
            form = {"name": name, "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        elif self.form == "json_object":
            body["response_format"] = {"type": "json_object", "schema": schema}
        return body


@dataclass(frozen=True, slots=True)
class Reply:
    """What an endpoint answered. Where it does not count tokens they are estimated, `counted` False."""

    content: str
    prompt_tokens: int
    completion_tokens: int
    counted: bool = True


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message


class _Usage(BaseModel):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class _Completion(BaseModel):
    choices: tuple[_Choice, ...] = Field(min_length=1)
    usage: _Usage | None = None


class _Passing(Exception):
    """Worth another attempt; `wait` is what the endpoint asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class ChatClient:
    """Asks one endpoint. Use it as an async context manager. Redirects are not followed: the key would go along."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.retries = 0
        self._not_before = 0.0  # monotonic; a "too many requests" holds for all
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        if endpoint.key:
            headers["authorization"] = f"Bearer {endpoint.key.get_secret_value()}"
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(endpoint.timeout, connect=min(10.0, endpoint.timeout)),
            verify=ssl.create_default_context(),  # the machine's certificate authorities
            trust_env=False,
            follow_redirects=False,
        )

    async def __aenter__(self) -> ChatClient:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._client.aclose()

    async def ask(self, body: dict[str, Any]) -> Reply:
        """The answer to a request.

        Raises TeacherError when this request gets none, TeacherUnavailable when none will.
        """
        endpoint = self.endpoint
        for attempt in range(1, endpoint.attempts + 1):
            await asyncio.sleep(max(0.0, self._not_before - time.monotonic()))
            try:
                return await self._once(body)
            except _Passing as exc:
                if attempt == endpoint.attempts:
                    raise TeacherError(f"{endpoint.address}: {attempt} attempts: {exc}") from exc
                self.retries += 1
                await self._pause(attempt, exc.wait)
        raise AssertionError("unreachable")

    async def _pause(self, attempt: int, wait: float | None) -> None:
        if wait is not None:
            self._not_before = max(self._not_before, time.monotonic() + wait)
            return
        longest = min(60.0, self.endpoint.backoff * 2 ** (attempt - 1))
        await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311  # spreads retries, no secret

    async def _once(self, body: dict[str, Any]) -> Reply:
        address = self.endpoint.address
        try:
            async with asyncio.timeout(self.endpoint.timeout):  # of the whole: a trickle of bytes never times out
                async with self._client.stream("POST", address, json=body) as response:
                    content = await self._read(response)
        except (TimeoutError, httpx.TimeoutException) as exc:
            raise _Passing(f"no answer in {self.endpoint.timeout:g} s") from exc
        except httpx.HTTPError as exc:
            raise _Passing(f"{type(exc).__name__}: {self._clean(str(exc))}") from exc
        if response.status_code != httpx.codes.OK:
            self._refuse(response, content)
        return _reply(body, content)

    async def _read(self, response: httpx.Response) -> bytes:
        content = b""
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > MOST_BYTES:
                raise TeacherError(f"{self.endpoint.address}: an answer of more than {MOST_BYTES} bytes")
        return content

    def _refuse(self, response: httpx.Response, content: bytes) -> None:
        status = response.status_code
        told = self._clean(content[: 4 * EXCERPT].decode("utf-8", "replace"))
        reason = f"HTTP {status}{f': {told}' if told else ''}"
        if status in {408, 425, 429} or status >= 500:  # noqa: PLR2004  # the server's own failures
            wait = retry_after(response.headers.get("retry-after", ""), datetime.now(UTC))
            if wait is not None and wait > MOST_WAIT:
                raise TeacherUnavailable(f"{self.endpoint.address}: {reason}: asks for {wait:.0f} s of patience")
            raise _Passing(reason, wait)
        if response.is_redirect:
            raise TeacherUnavailable(f"{self.endpoint.address}: {reason}: redirects are not followed")
        kind = TeacherUnavailable if status in REFUSES_ALL else TeacherError
        raise kind(f"{self.endpoint.address}: {reason}")

    def _clean(self, text: str) -> str:
        """One short line without the key, which some servers repeat."""
        if self.endpoint.key:
            text = text.replace(self.endpoint.key.get_secret_value(), "***")
        return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:EXCERPT]


def _reply(body: dict[str, Any], content: bytes) -> Reply:
    try:
        completion = _Completion.model_validate_json(content)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise _Passing(f"not a chat completion: {place} {first['msg']}") from exc
    text = completion.choices[0].message.content
    usage = completion.usage
    if usage:
        return Reply(text or "", usage.prompt_tokens, usage.completion_tokens)
    asked = sum(len(message["content"].encode()) for message in body["messages"])
    return Reply(text or "", asked // 3, len((text or "").encode()) // 3, counted=False)


def retry_after(value: str, moment: datetime) -> float | None:
    """The seconds of a Retry-After header (RFC 9110: seconds or a date), or None."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - moment).total_seconds())
