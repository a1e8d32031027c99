"""Making tokens: only the users service, and the operator's scripts, have the private key that this takes."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from servicekit.auth.tokens import ALGORITHM, ISSUER, Scope, expand_scope
from servicekit.problems import Unavailable


def make_private_key() -> bytes:
    """A new one, as PEM."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def make_public_key(private_key_file: Path) -> bytes:
    """The one that belongs to a private key, as PEM. Raises Unavailable if there is no private key in the file."""
    return read_private_key(private_key_file).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def read_private_key(file: Path) -> Ed25519PrivateKey:
    """Raises Unavailable if there is none in the file."""
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:  # TypeError: it is encrypted
        raise Unavailable(f"{file.name}, the key that tokens are signed with, cannot be read.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Unavailable(f"{file.name}, the key that tokens are signed with, is no Ed25519 key.")
    return key


def write_secret(path: Path, content: bytes) -> None:
    """A file that its owner alone may read, from its first moment on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)  # if the file was there already, with other rights
        file.write(content)


class TokenIssuer:
    """Reads the private key at the first token, so that a service starts without it."""

    def __init__(self, private_key_file: Path) -> None:
        self._file = private_key_file
        self._key: Ed25519PrivateKey | None = None

    def issue(self, *, scope: Scope, user_id: UUID | None, now: datetime, lifetime: timedelta) -> str:
        """A signed token; `user_id` is the player of the scope `player`. Raises Unavailable without the key."""
        self._key = self._key or read_private_key(self._file)
        claims: dict[str, object] = {
            "iss": ISSUER,
            "scope": " ".join(expand_scope(scope)),
            "iat": now,
            "exp": now + lifetime,
        }
        if user_id is not None:
            claims["sub"] = str(user_id)
        return jwt.encode(claims, self._key, algorithm=ALGORITHM)
