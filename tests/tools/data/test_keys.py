"""What bin/init makes beside databases, and what it adds to a database of an earlier version."""

import os
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from servicekit.auth.tokens import Caller, Scope, TokenVerifier
from servicekit.problems import Unauthorized
from tests.support.scripts import list_files, read_contents, read_rows, write_rows
from tools.config.paths import SHARE, DataPaths
from tools.data import init
from users.queries import SCHEMA_VERSION
from users.token_issuer import TokenIssuer, make_private_key, write_secret

EARLIER = """
CREATE TABLE users (
    user_id  UUID NOT NULL PRIMARY KEY CHECK (typeof(user_id) = 'blob' AND length(user_id) = 16),
    username TEXT NOT NULL UNIQUE
) WITHOUT ROWID;
CREATE TABLE imports (
    checksum TEXT NOT NULL PRIMARY KEY, users INTEGER NOT NULL, games INTEGER NOT NULL, imported_at TIMESTAMP NOT NULL
);
INSERT INTO users VALUES (x'000102030405060708090a0b0c0d0e0f', 'ada');
INSERT INTO imports VALUES ('abc', 1, 2, '2026-01-01 00:00:00');
"""
SERVICE = Caller(frozenset({Scope.SERVICE}), None)


def read_keys(data_paths: DataPaths) -> list[bytes]:
    return [path.read_bytes() for path in data_paths.keys]


def read_modes(data_paths: DataPaths) -> list[str]:
    return [oct(stat.S_IMODE(path.stat().st_mode)) for path in data_paths.keys]


def verify_service_token(data_paths: DataPaths) -> Caller:
    return TokenVerifier(data_paths.public_key).verify(data_paths.service_token.read_text(encoding="ascii"))


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_secrets_can_be_read_by_their_owner_alone(unmade: DataPaths, umask: int) -> None:
    before = os.umask(umask)
    try:
        init.main([])
    finally:
        os.umask(before)
    assert read_modes(unmade) == ["0o600", oct(0o666 & ~umask), "0o600"]


def test_token_of_games_is_a_services_and_lasts_for_years(unmade: DataPaths) -> None:
    init.main([])
    assert verify_service_token(unmade) == SERVICE
    claims = jwt.decode(unmade.service_token.read_bytes(), options={"verify_signature": False})
    assert datetime.fromtimestamp(claims["exp"], UTC) > datetime.now(UTC) + timedelta(days=3600)


def test_what_the_services_read_is_what_was_made(unmade: DataPaths) -> None:
    init.main([])
    token_issuer = TokenIssuer(unmade.private_key)
    token = token_issuer.issue(scope=Scope.ADMIN, user_id=None, now=datetime.now(UTC), lifetime=timedelta(minutes=1))
    assert TokenVerifier(unmade.public_key).verify(token) == Caller(frozenset({Scope.ADMIN, Scope.SERVICE}), None)


def test_force_makes_new_keys_with_which_all_tokens_end(unmade: DataPaths) -> None:
    init.main([])
    before = read_keys(unmade)
    assert init.main(["--force"]) == 0
    assert all(new != old for new, old in zip(read_keys(unmade), before, strict=True))
    assert read_modes(unmade)[::2] == ["0o600", "0o600"]
    assert verify_service_token(unmade) == SERVICE
    with pytest.raises(Unauthorized):
        TokenVerifier(unmade.public_key).verify(before[2].decode())


@pytest.mark.parametrize("lost", [["service_token"], ["public_key"], ["public_key", "service_token"]])
def test_what_is_missing_is_made_for_the_keys_that_there_are(
    unmade: DataPaths, lost: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    init.main([])
    private, public, _ = read_keys(unmade)
    databases = read_contents(unmade)
    for name in lost:
        getattr(unmade, name).unlink()
    capsys.readouterr()

    assert init.main([]) == 0

    assert capsys.readouterr().out == f"Created {', '.join(str(getattr(unmade, name)) for name in lost)}.\n"
    assert read_keys(unmade)[:2] == [private, public]
    assert verify_service_token(unmade) == SERVICE
    assert read_contents(unmade) == databases


@pytest.mark.parametrize("content", ["", "garbage", "\xff", "expired", "admin"])
def test_service_token_that_stats_would_refuse_is_recreated(unmade: DataPaths, content: str) -> None:
    init.main([])
    keys = read_keys(unmade)
    token_issuer, moment = TokenIssuer(unmade.private_key), datetime.now(UTC) - timedelta(hours=2)
    tokens = {
        "expired": token_issuer.issue(scope=Scope.SERVICE, user_id=None, now=moment, lifetime=timedelta(hours=1)),
        "admin": token_issuer.issue(scope=Scope.ADMIN, user_id=None, now=moment, lifetime=timedelta(days=9)),
    }
    unmade.service_token.write_text(tokens.get(content, content), encoding="latin-1")

    assert init.main([]) == 0

    assert read_keys(unmade)[:2] == keys[:2]
    assert verify_service_token(unmade) == SERVICE
    assert read_modes(unmade)[2] == "0o600"


@pytest.mark.parametrize("content", [None, "another"])
def test_public_key_without_its_private_key_is_never_replaced(unmade: DataPaths, content: str | None) -> None:
    init.main([])
    files = list_files(unmade.folder)
    _, public, token = read_keys(unmade)
    unmade.private_key.unlink()
    if content is not None:
        write_secret(unmade.private_key, make_private_key())
    with pytest.raises(SystemExit, match=r"tokens\.key is not the private key of .*tokens\.pub: restore it"):
        init.main([])
    assert unmade.public_key.read_bytes() == public
    assert unmade.service_token.read_bytes() == token
    assert list_files(unmade.folder) | {unmade.private_key.name} == files


def test_invalid_private_key_is_refused_and_kept(unmade: DataPaths) -> None:
    init.main([])
    unmade.private_key.write_bytes(b"no key")
    with pytest.raises(
        SystemExit, match=r"^tokens\.key, the key that tokens are signed with, cannot be read\. Restore it and"
    ):
        init.main([])
    assert unmade.private_key.read_bytes() == b"no key"


def test_keys_may_lie_in_folders_of_their_own(
    unmade: DataPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USERS_TOKEN_PRIVATE_KEY_FILE", str(tmp_path / "secret" / "a.key"))
    monkeypatch.setenv("TOKEN_PUBLIC_KEY_FILE", str(tmp_path / "public" / "a.pub"))
    assert init.main([]) == 0
    assert sorted(path.name for path in (tmp_path / "secret").iterdir()) == ["a.key"]
    assert sorted(path.name for path in (tmp_path / "public").iterdir()) == ["a.pub"]


def make_earlier(path: Path) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(EARLIER)
        database.execute("PRAGMA journal_mode = WAL")


def test_earlier_users_database_gets_new_tables_and_keeps_players(
    unmade: DataPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    init.main([])
    make_earlier(unmade.users)
    capsys.readouterr()

    assert init.main([]) == 0

    assert capsys.readouterr().out == f"Upgraded {unmade.users} to version {SCHEMA_VERSION}.\n"
    assert read_rows(unmade.users, "SELECT user_id, username FROM users") == [(bytes(range(16)), "ada")]
    assert read_rows(unmade.users, "SELECT * FROM imports") == [("abc", 1, 2, "2026-01-01 00:00:00")]
    assert read_rows(unmade.users, "SELECT * FROM passwords") == []
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript((SHARE / "users.sql").read_text(encoding="utf-8"))
        select = "SELECT type, name FROM sqlite_master ORDER BY name"
        assert read_rows(unmade.users, select) == fresh.execute(select).fetchall()
    assert init.main([]) == 0
    assert capsys.readouterr().out == "All databases and keys exist: nothing to do.\n"


def test_of_the_new_tables_all_are_added_or_none(unmade: DataPaths) -> None:
    init.main([])
    make_earlier(unmade.users)
    write_rows(unmade.users, "CREATE VIEW login_attempts_by_name AS SELECT 1")  # the index finds its name taken
    with pytest.raises(SystemExit, match=r"users\.db cannot be upgraded \(.*login_attempts_by_name"):
        init.main([])
    names = {name for (name,) in read_rows(unmade.users, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert names == {"users", "imports"}


def test_file_that_is_no_users_database_is_refused(unmade: DataPaths) -> None:
    init.main([])
    unmade.users.write_text("not a database, but as long as the header of one would be", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"users\.db cannot be read \(file is not a database\)"):
        init.main([])
