"""Passwords: hashed with Argon2id, in threads, since a hash takes tens of milliseconds and 64 MB."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pwdlib import PasswordHash

from servicekit.problems import Unavailable

MIN_LENGTH, MAX_LENGTH = 8, 128
"""Of a password, in characters."""

HASHES_AT_ONCE = 2
"""More would only share the cores, at 64 MB each."""
PATIENCE_S = 3.0
"""Who would wait longer for a turn is told so, while the client and Traefik still listen."""


def check_new_password(password: str) -> str:
    """Raises ValueError with a sentence, in which the password is not, if it may not be one."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise ValueError(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    return password


def to_bytes(password: str) -> bytes:
    """JSON can hold halves of surrogate pairs, of which UTF-8 proper would make an error."""
    return password.encode("utf-8", "surrogatepass")


class Passwords:
    """Hashes and verifies without stopping the event loop."""

    def __init__(self, hasher: PasswordHash) -> None:
        self._hasher = hasher
        self._slots = asyncio.Semaphore(HASHES_AT_ONCE)
        self._nobodys_hash = hasher.hash(secrets.token_hex())

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Raises Unavailable if too many are before this one."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._slots.acquire()
        except TimeoutError:
            raise Unavailable("Too many passwords are being looked at. Try again in a few seconds.") from None
        try:
            yield
        finally:
            self._slots.release()

    async def hash(self, password: str) -> str:
        """Raises Unavailable if it is not its turn soon."""
        async with self._turn():
            return await asyncio.to_thread(self._hasher.hash, to_bytes(password))

    async def verify(self, password: str, stored_hash: str | None) -> bool:
        """False without a stored hash too, and then it takes the same time. Raises Unavailable as `hash` does."""
        async with self._turn():
            expected = stored_hash or self._nobodys_hash
            matches = await asyncio.to_thread(self._hasher.verify, to_bytes(password), expected)
        return matches and stored_hash is not None
