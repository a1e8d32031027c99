"""Verifying tokens: JWTs signed with Ed25519, of which a service has the public key."""

import time
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any
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


SCOPE_DESCRIPTIONS = {
    Scope.PLAYER: "your own plays: begin, guess, and read them",
    Scope.SERVICE: "post results; for services and trusted front ends",
    Scope.ADMIN: "words, answers, passwords, and all that a service may",
}


def expand_scope(scope: Scope) -> list[Scope]:
    """What a token of a scope holds: an administrator's also holds that of services."""
    return [Scope.ADMIN, Scope.SERVICE] if scope is Scope.ADMIN else [scope]


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a valid token."""

    scopes: frozenset[Scope]
    user_id: UUID | None
    """The player; None for a service and for the operator."""


CACHED_TOKENS = 1000


class TokenVerifier:
    """Reads the public key at the first token, so that a service starts without it.

    Checking a signature takes 100 us, as long as storing a result, and callers send the same token again: the most
    recently used valid ones are cached, and only their expiry is checked.
    """

    def __init__(self, public_key_file: Path) -> None:
        self._file = public_key_file
        self._key: Ed25519PublicKey | None = None
        self._read = lru_cache(CACHED_TOKENS)(self._read_signed)

    def verify(self, token: str) -> Caller:
        """Raises Unauthorized for a foreign, broken or expired token, Unavailable without the key."""
        caller, expires_at = self._read(token)
        if expires_at <= time.time():
            raise Unauthorized(EXPIRED)
        return caller

    def _read_signed(self, token: str) -> tuple[Caller, float]:
        """The caller, and when the token expires, in seconds since 1970."""
        self._key = self._key or read_public_key(self._file)
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],  # never what the token itself names
                issuer=ISSUER,
                # An `iat` in the future is accepted: clocks differ, and ours may have been put back.
                options={"require": ["exp", "iss", "scope"], "verify_iat": False},
            )
            return read_claims(claims), float(claims["exp"])
        except jwt.ExpiredSignatureError:
            raise Unauthorized(EXPIRED) from None
        except (jwt.InvalidTokenError, AttributeError, KeyError, ValueError, RecursionError):
            # AttributeError: the scope is no text; RecursionError: JSON nested too deep
            raise Unauthorized("The token is not valid; get one from POST /api/users/token.") from None


def read_claims(claims: dict[str, Any]) -> Caller:
    """Raises KeyError or ValueError for claims that no token of ours has."""
    scopes = {Scope(name) for name in claims["scope"].split(" ")}
    if Scope.ADMIN in scopes:
        scopes.add(Scope.SERVICE)  # tokens of earlier versions held `admin` alone
    return Caller(frozenset(scopes), UUID(claims["sub"]) if Scope.PLAYER in scopes else None)


def read_public_key(file: Path) -> Ed25519PublicKey:
    """Raises Unavailable if there is none in the file."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except (OSError, ValueError) as error:
        raise Unavailable(f"{file.name}, the key that tokens are verified with, cannot be read.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Unavailable(f"{file.name}, the key that tokens are verified with, is no Ed25519 key.")
    return key
