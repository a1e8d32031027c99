"""The keys of the tokens, and the token of games, as bin/init makes them: under the names of staged files."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from servicekit.auth.tokens import Scope, TokenVerifier
from servicekit.problems import Unauthorized
from tools.config.paths import DataPaths
from tools.data.atomic_files import make_folder, staged, sync
from users.token_issuer import TokenIssuer, make_private_key, make_public_key, write_secret

SERVICE_TOKEN_LIFETIME = timedelta(days=3650)
"""games cannot token_issuer another one."""


def stage_keys(data_paths: DataPaths, *, force: bool) -> list[Path]:
    """Makes what is missing, or all, and returns what is to be replaced by its staged file.

    A token of games that is not of these keys, or has expired, counts as missing. Raises SystemExit if there is a
    public key that is not the private key's, and Unavailable if a private key is there and cannot be read.
    """
    private_key, public_key, service_token = data_paths.private_key, data_paths.public_key, data_paths.service_token
    made: list[Path] = []

    def current(path: Path) -> Path:
        return staged(path) if path in made else path

    def make(path: Path, write: Callable[[Path], object]) -> None:
        make_folder(path.parent)
        write(staged(path))
        sync(staged(path))
        made.append(path)

    if force or not (private_key.exists() or public_key.exists()):
        make(private_key, partial(write_secret, content=make_private_key()))
    elif public_key.exists() and not belongs_to(public_key, private_key):
        raise SystemExit(
            f"{private_key} is not the private key of {public_key}: bring it back, or take both away, and there will be"
            " new keys, with which all tokens end."
        )
    if made or not public_key.exists():
        public = make_public_key(current(private_key))
        make(public_key, lambda path: path.write_bytes(public))
    if not is_valid(service_token, current(public_key)):
        token = mint_service_token(current(private_key))
        make(service_token, partial(write_secret, content=token.encode()))
    return made


def belongs_to(public_key: Path, private_key: Path) -> bool:
    return private_key.exists() and make_public_key(private_key) == public_key.read_bytes()


def mint_service_token(private_key: Path) -> str:
    now = datetime.now(UTC)
    return TokenIssuer(private_key).issue(scope=Scope.SERVICE, user_id=None, now=now, lifetime=SERVICE_TOKEN_LIFETIME)


def is_valid(service_token: Path, public_key: Path) -> bool:
    """Whether stats would take it now."""
    try:
        caller = TokenVerifier(public_key).verify(service_token.read_text(encoding="ascii"))
    except (FileNotFoundError, UnicodeDecodeError, Unauthorized):
        return False
    return caller.scopes == {Scope.SERVICE}
