"""A password hasher for tests."""

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher


class CountingHash(PasswordHash):
    """Argon2id at its lowest cost; counts verifications."""

    def __init__(self) -> None:
        super().__init__((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
        self.verified = 0

    def verify_and_update(self, password: str | bytes, hash: str | bytes) -> tuple[bool, str | None]:  # noqa: A002 - pwdlib's name
        self.verified += 1
        return super().verify_and_update(password, hash)
