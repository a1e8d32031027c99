"""The queue for password hashing: requests that wait too long get 503."""

import asyncio
import threading

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

import users.logins.passwords
from servicekit.problems import Unavailable
from users.logins.passwords import HASHES_AT_ONCE, Passwords


class HeldHasher(Argon2Hasher):
    """A cheap hasher that blocks while `is_held` is set, until `go_on` is."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go_on = threading.Event()
        self.is_held = False

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        if self.is_held:
            self.go_on.wait(10)
        return super().hash(password, salt=salt)


@pytest.mark.anyio
async def test_hash_that_queues_too_long_fails_and_frees_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = HeldHasher()
    passwords = Passwords(PasswordHash((hasher,)))
    hasher.is_held = True
    monkeypatch.setattr(users.logins.passwords, "PATIENCE_S", 0.05)
    hashing = [asyncio.create_task(passwords.hash("a password", address="192.0.2.1")) for _ in range(HASHES_AT_ONCE)]
    await asyncio.sleep(0)  # they occupy all hashing slots
    with pytest.raises(Unavailable, match="Try again in a few seconds"):
        await passwords.hash("a password", address="192.0.2.1")
    hasher.go_on.set()
    assert all(text.startswith("$argon2id$") for text in await asyncio.gather(*hashing))
    assert (await passwords.verify("a password", hashing[0].result(), address="192.0.2.1")).matches
