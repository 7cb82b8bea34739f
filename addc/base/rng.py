"""Randomness as a parameter, so that tests can replay it."""

import secrets
from typing import Protocol
from uuid import UUID


class Rng(Protocol):
    """Source of random bytes."""

    def bytes(self, size: int) -> bytes: ...


class SystemRng:
    """The operating system's generator."""

    def bytes(self, size: int) -> bytes:
        return secrets.token_bytes(size)


def new_guid(rng: Rng) -> UUID:
    """A version 4 GUID."""
    return UUID(bytes=rng.bytes(16), version=4)
