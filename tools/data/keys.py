"""Creates the keys of the tokens, and the service token of games, as staged files for bin/init."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from servicekit.auth.tokens import Scope, TokenVerifier
from servicekit.problems import Unauthorized
from tools.config.paths import DataPaths
from tools.data.atomic_files import create_folder, staged, sync
from users.token_issuer import TokenIssuer, make_private_key, make_public_key, write_secret

SERVICE_TOKEN_LIFETIME = timedelta(days=3650)
"""Ten years: games cannot issue another one."""
NEW_KEYS = "make new ones with bin/init --new-keys, which invalidates all tokens"
"""Advice, which ends a sentence."""


def stage_keys(data_paths: DataPaths, *, force: bool) -> list[Path]:
    """Stages what is missing, or all with `force`, and returns the targets of the staged files.

    A service token that these keys did not sign, or that has expired, counts as missing. Raises SystemExit if the
    public key does not belong to the private key, and Unavailable if the private key cannot be read.
    """
    private_key, public_key, service_token = data_paths.private_key, data_paths.public_key, data_paths.service_token
    created: list[Path] = []

    def current(path: Path) -> Path:
        return staged(path) if path in created else path

    def create(path: Path, write: Callable[[Path], object]) -> None:
        create_folder(path.parent)
        write(staged(path))
        sync(staged(path))
        created.append(path)

    if force or not (private_key.exists() or public_key.exists()):
        create(private_key, partial(write_secret, content=make_private_key()))
    elif public_key.exists() and not is_key_pair(public_key, private_key):
        raise SystemExit(f"{private_key} is not the private key of {public_key}: restore it, or {NEW_KEYS}.")
    if created or not public_key.exists():
        public = make_public_key(current(private_key))
        create(public_key, lambda path: path.write_bytes(public))
    if not is_valid(service_token, current(public_key)):
        token = issue_service_token(current(private_key))
        create(service_token, partial(write_secret, content=token.encode()))
    return created


def is_key_pair(public_key: Path, private_key: Path) -> bool:
    return private_key.exists() and make_public_key(private_key) == public_key.read_bytes()


def issue_service_token(private_key: Path) -> str:
    now = datetime.now(UTC)
    return TokenIssuer(private_key).issue(scope=Scope.SERVICE, user_id=None, now=now, lifetime=SERVICE_TOKEN_LIFETIME)


def is_valid(service_token: Path, public_key: Path) -> bool:
    """Whether stats would accept it now."""
    try:
        caller = TokenVerifier(public_key).verify(service_token.read_text(encoding="ascii"))
    except (FileNotFoundError, UnicodeDecodeError, Unauthorized):
        return False
    return caller.scopes == {Scope.SERVICE}
