"""Passwords: which are taken, how they are compared, and hashing them with Argon2id.

A hash takes tens of milliseconds and 64 MB, so it is made in a thread, and clients take turns at it by address.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from precis_i18n import get_profile
from pwdlib import PasswordHash

from servicekit.problems import Unavailable
from users.logins.common_passwords import COMMON_PASSWORDS
from users.logins.fair_semaphore import FairSemaphore

MIN_LENGTH, MAX_LENGTH = 8, 128
"""Of a password, in characters."""

HASHES_AT_ONCE = 2
"""More would only share the cores, at 64 MB each."""
PATIENCE_S = 3.0
"""A request that waits longer for its turn gets 503, while the client and Traefik still listen."""

OPAQUE_STRING = get_profile("OpaqueString")


def check_new_password(password: str) -> str:
    """Raises ValueError with a sentence, in which the password is not, if it may not be one."""
    # Both forms: an accent composed with its letter makes the compared one shorter.
    if not MIN_LENGTH <= len(prepare(password)) <= len(password) <= MAX_LENGTH:
        raise ValueError(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    if prepare(password).casefold() in COMMON_PASSWORDS:
        raise ValueError("this password is one of the most common, which are tried first; choose another")
    return password


def prepare(password: str) -> str:
    """The form in which passwords are compared: RFC 8265's OpaqueString, so that an é typed on another keyboard, as one
    character or two, is the same; as typed where the RFC allows no such password (control characters).

    Longer ones than are allowed stay as typed, too: to prepare some takes seconds, and none of them is stored.
    """
    if len(password) > MAX_LENGTH:
        return password
    try:
        return str(OPAQUE_STRING.enforce(password))
    except UnicodeEncodeError:
        return password


def to_bytes(password: str) -> bytes:
    """JSON can hold halves of surrogate pairs, of which UTF-8 proper would make an error."""
    return password.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Verdict:
    matches: bool
    new_hash: str | None = None
    """What to store in the place of the old hash: of the prepared form, with today's parameters."""


class Passwords:
    """Hashes and verifies without stopping the event loop."""

    def __init__(self, hasher: PasswordHash) -> None:
        self._hasher = hasher
        self._turns = FairSemaphore(HASHES_AT_ONCE)
        self._dummy_hash = hasher.hash(secrets.token_hex())
        """Verified where a name has no password, so that the answer takes as long."""

    @asynccontextmanager
    async def _turn(self, address: str) -> AsyncIterator[None]:
        """Raises Unavailable if it does not come within PATIENCE_S."""
        turn = self._turns.take(address)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await turn.__aenter__()
        except TimeoutError:
            raise Unavailable("Too many passwords are waiting to be checked. Try again in a few seconds.") from None
        try:
            yield
        finally:
            await turn.__aexit__(None, None, None)

    async def hash(self, password: str, *, address: str) -> str:
        """Of the prepared form. Raises Unavailable if the address does not get its turn soon."""
        async with self._turn(address):
            return await asyncio.to_thread(self._hasher.hash, to_bytes(prepare(password)))

    async def verify(self, password: str, stored_hash: str | None, *, address: str) -> Verdict:
        """Without a stored hash no password matches, and that takes as long. Raises Unavailable as `hash` does."""
        async with self._turn(address):
            verdict = await asyncio.to_thread(self._verify, password, stored_hash or self._dummy_hash)
        return verdict if stored_hash is not None else Verdict(matches=False)

    def _verify(self, password: str, stored_hash: str) -> Verdict:
        prepared = prepare(password)
        matches, new_hash = self._hasher.verify_and_update(to_bytes(prepared), stored_hash)
        if not matches and prepared != password and self._hasher.verify(to_bytes(password), stored_hash):
            # Stored by a version that did not prepare passwords.
            return Verdict(matches=True, new_hash=self._hasher.hash(to_bytes(prepared)))
        return Verdict(matches, new_hash)
