"""What all nouns share: immutability, content ids, the clock."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict


def content_id(*parts: str) -> str:
    """A 32-character hexadecimal id of the parts (BLAKE2b, 128 bits; parts cannot run into each other)."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


class Noun(BaseModel):
    """Base of all nouns: immutable, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
