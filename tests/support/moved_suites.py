"""All databases of a suite on either engine, as bin/reshard moves them, with rows in every table."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from servicekit.db.moves import INCOMPLETE, MOVED
from tests.support.scripts import environment
from tests.support.stored import Stored, StoredInFile, StoredOnServer, list_urls
from tools.config.paths import DataPaths
from tools.data import reshard

PLAYER = UUID(int=1)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = datetime(9999, 1, 1, 12, tzinfo=UTC)
TABLES = {
    "users": ("users", "passwords", "sessions", "login_attempts", "known_addresses", "retired_names", "imports"),
    "plays": ("plays", "guesses", "outbox"),
    "words": ("words",),
    "answers": ("candidates", "answers"),
    "games": ("games", "standings"),
}
"""By kind; without the counts, which depend on the number of shards."""


@dataclass(frozen=True)
class MovedSuite:
    """Databases by the names that their files have in the default settings, without the ending."""

    databases: Mapping[str, Stored]
    settings: Mapping[str, str]
    """Those that name the databases."""

    @classmethod
    def in_files(cls, data_paths: DataPaths) -> "MovedSuite":
        settings = {name: url for name, url in environment(data_paths).items() if name.endswith(("_URL", "_URLS"))}
        return cls({path.stem: StoredInFile(path) for path in data_paths.all}, settings)

    @classmethod
    def on_server(cls, databases: Mapping[str, StoredOnServer]) -> "MovedSuite":
        return cls(databases, list_urls(databases))

    def write_settings(self, file: Path) -> Path:
        file.write_text("".join(f"{name}={url}\n" for name, url in self.settings.items()), encoding="utf-8")
        return file

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, url in self.settings.items():
            monkeypatch.setenv(name, url)

    def read_all(self) -> dict[str, list[str]]:
        """The rows of all tables, those of all shards together."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name, database in self.databases.items():
            for table in TABLES[name.rstrip("0123456789")]:
                found[table] += [str(tuple(map(str, row))) for row in database.read(f"SELECT * FROM {table}")]  # noqa: S608 - names of ours
        return {table: sorted(rows) for table, rows in found.items()}

    def read_versions(self) -> dict[str, int | None]:
        """None for a database that is not there."""
        return {name: read_version(database) for name, database in self.databases.items()}

    def set_version(self, name: str, version: int) -> None:
        database = self.databases[name]
        is_file = isinstance(database, StoredInFile)
        statement = "PRAGMA user_version =" if is_file else "UPDATE schema_version SET version ="
        database.run(f"{statement} {version}")

    def has_moved(self) -> bool:
        return all(version is not None and version >= MOVED for version in self.read_versions().values())

    def can_be_used(self) -> set[str]:
        """The databases that services accept."""
        return {name for name, version in self.read_versions().items() if version is not None and version < INCOMPLETE}


def read_version(database: Stored) -> int | None:
    if isinstance(database, StoredInFile):
        return int(database.read("PRAGMA user_version")[0][0]) if database.path.exists() else None
    if database.read("SELECT to_regclass('public.schema_version')") == [(None,)]:
        return None
    return int(database.read("SELECT version FROM schema_version")[0][0])


def add_rows(suite: MovedSuite) -> None:
    """At least one row in every table: a play that is not finished, and a result on its way to stats among them."""
    rows: dict[tuple[str, str], tuple[Any, ...]] = {
        ("users", "users"): (PLAYER, "Ada ' \U0001f511"),
        ("users", "passwords"): (PLAYER, "$argon2id$a hash"),
        ("users", "sessions"): (7, b"\x00\xff'", PLAYER, NOON, LATER),
        ("users", "login_attempts"): (9, b"\x01\x00", "192.0.2.1", True, 1_767_268_800_123),
        ("users", "known_addresses"): (PLAYER, "2001:db8::", NOON),
        ("users", "retired_names"): ("gone", NOON),
        ("users", "imports"): ("ab12", 3, 4, NOON),
        ("plays", "plays"): (PLAYER, 7, True, NOON),
        ("plays", "guesses"): (PLAYER, 7, 1, "crane"),
        ("plays", "outbox"): (PLAYER, 7, False, 6, NOON, None),
    }
    for (database, table), row in rows.items():
        places = ", ".join("?" * len(row))
        suite.databases[database].run(f"INSERT INTO {table} VALUES ({places})", row)  # noqa: S608 - names of ours


def move(file: Path) -> None:
    assert reshard.main(["--to", str(file)]) == 0
