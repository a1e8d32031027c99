"""Verifying tokens: JWTs signed with Ed25519, of which a service has the public key."""

import time
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from servicekit.problems import Unauthorized, Unavailable

ALGORITHM = "EdDSA"
ISSUER = "quintet"
EXPIRED = "The token has expired; get another one."


class Scope(StrEnum):
    PLAYER = "player"
    """What a player may do with what is their own."""
    SERVICE = "service"
    """What services may do for players: post results."""
    ADMIN = "admin"
    """What the operator may do."""


DESCRIPTIONS = {
    Scope.PLAYER: "play one's own games",
    Scope.SERVICE: "post results; for services and trusted front ends",
    Scope.ADMIN: "words, answers, passwords, and all that a service may",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, as a token says."""

    scope: Scope
    user_id: UUID | None
    """The player; None for a service and for the operator."""


REMEMBERED = 1000


class TokenVerifier:
    """Reads the public key at the first token, so that a service starts without it.

    To check a signature takes as long as to store a result, and callers come again with the token that they have: the
    latest good ones are remembered, of which only the time has to be looked at.
    """

    def __init__(self, public_key_file: Path) -> None:
        self._file = public_key_file
        self._key: Ed25519PublicKey | None = None
        self._read = lru_cache(REMEMBERED)(self._read_signed)

    def verify(self, token: str) -> Caller:
        """Raises Unauthorized for a token that is not ours, is broken or has expired; Unavailable without the key."""
        caller, expires_at = self._read(token)
        if expires_at <= time.time():
            raise Unauthorized(EXPIRED)
        return caller

    def _read_signed(self, token: str) -> tuple[Caller, float]:
        """Whose it is, and until when, in seconds since 1970."""
        self._key = self._key or read_public_key(self._file)
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],  # never what the token itself names
                issuer=ISSUER,
                # A token from the future is no worse: our clock may have been put back, or its maker's may be ahead.
                options={"require": ["exp", "iss", "scope"], "verify_iat": False},
            )
            scope = Scope(claims["scope"])
            caller = Caller(scope, UUID(claims["sub"]) if scope is Scope.PLAYER else None)
            return caller, float(claims["exp"])
        except jwt.ExpiredSignatureError:
            raise Unauthorized(EXPIRED) from None
        except (jwt.InvalidTokenError, KeyError, ValueError, RecursionError):  # the last of JSON nested too deep
            raise Unauthorized("The token is not valid; get one from POST /api/users/token.") from None


def read_public_key(file: Path) -> Ed25519PublicKey:
    """Raises Unavailable if there is none in the file."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except (OSError, ValueError) as error:
        raise Unavailable(f"{file.name}, the key that tokens are verified with, cannot be read.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Unavailable(f"{file.name}, the key that tokens are verified with, is no Ed25519 key.")
    return key
