"""Running the project's scripts on the databases of a test, and reading those."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tools.config.paths import ROOT, DataPaths
from tools.data.atomic_files import LOCK

TIMEOUT_S = 30


def environment(data_paths: DataPaths) -> dict[str, str]:
    """Environment variables with which scripts and services use these databases and keys."""
    return {
        "STATS_USERS_URL": f"sqlite:///{data_paths.users}",
        "USERS_DATABASE_URL": f"sqlite:///{data_paths.users}",
        "STATS_SHARD_URLS": ",".join(f"sqlite:///{shard}" for shard in data_paths.shards),
        "WORDS_DATABASE_URL": f"sqlite:///{data_paths.words}",
        "GAMES_ANSWERS_URL": f"sqlite:///{data_paths.answers}",
        "GAMES_PLAYS_URL": f"sqlite:///{data_paths.plays}",
        "USERS_TOKEN_PRIVATE_KEY_FILE": str(data_paths.private_key),
        "TOKEN_PUBLIC_KEY_FILE": str(data_paths.public_key),
        "GAMES_SERVICE_TOKEN_FILE": str(data_paths.service_token),
    }


def use_databases(data_paths: DataPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the scripts of this process work on them; a patch brings back the working directory, which they change."""
    for name, value in environment(data_paths).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(data_paths.folder.parent)


def copy_keys(source: DataPaths, target: DataPaths) -> None:
    """As an operator copies them to another machine."""
    for old, new in zip(source.keys, target.keys, strict=True):
        shutil.copy2(old, new)


def write_dotenv(folder: Path, *lines: str) -> None:
    (folder / ".env").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def start_script(module: str, *arguments: str) -> subprocess.Popen[str]:
    """Starts a script in a new process with this process's environment."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_rows(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def list_columns(path: Path, table: str) -> str:
    """The writable columns of a table, comma-separated for SQL."""
    names = read_rows(path, f"SELECT name FROM pragma_table_info('{table}')")  # noqa: S608 - a constant table name
    return ", ".join(name for (name,) in names)


def write_rows(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for sql in statements:
            connection.execute(sql)


def list_files(folder: Path) -> set[str]:
    """The file names in the databases' folder, without the lock file, which is never removed."""
    return {path.name for path in folder.iterdir()} - {LOCK}


def read_contents(data_paths: DataPaths) -> dict[Path, bytes]:
    """The bytes of every existing database file."""
    return {path: path.read_bytes() for path in data_paths.all if path.exists()}


def dump(data_paths: DataPaths) -> dict[Path, list[str]]:
    """Schema and rows of every existing database, as SQL."""
    dumps = {}
    for path in data_paths.all:
        if path.exists():
            with closing(sqlite3.connect(path)) as connection:
                dumps[path] = list(connection.iterdump())
    return dumps
