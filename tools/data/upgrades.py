"""Bringing a database of an earlier version up to date, by numbered steps.

The version is SQLite's `PRAGMA user_version`; 0 is every database from before versions were numbered. Step n
(upgrade_steps.py) turns version n into n + 1. All steps of a database are one transaction, which holds SQLite's
exclusive lock: no service has the file open, and a killed upgrade leaves the file as it was.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import servicekit.db.column_types  # noqa: F401 - registers how UUIDs and times are stored
from tools.config.paths import DataPaths
from tools.data.atomic_files import lock_exclusively, locked_unused, open_to_read, seal
from tools.data.upgrade_steps import STEPS


@dataclass(frozen=True, slots=True)
class Upgrade:
    path: Path
    version: int
    """The one that the database has now."""
    remarks: tuple[str, ...]
    """Sentences for the operator: what was kept and what was dropped."""


def list_schemas(data_paths: DataPaths) -> dict[Path, str]:
    """Each database, and the file of share/ that has its schema."""
    return {
        data_paths.users: "users.sql",
        **dict.fromkeys(data_paths.shards, "games.sql"),
        data_paths.words: "words.sql",
        data_paths.answers: "answers.sql",
        data_paths.plays: "plays.sql",
    }


def read_version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def current_version(schema: str) -> int:
    """Of a file of share/."""
    return len(STEPS[schema])


def find_version(path: Path) -> int:
    """0 of a file that is missing. Raises SystemExit if it is no database."""
    if not path.exists():
        return 0
    try:
        with closing(open_to_read(path)) as database:
            return read_version(database)
    except sqlite3.Error as error:
        raise SystemExit(f"{path} cannot be read ({error}).") from error


def refuse_later_versions(data_paths: DataPaths) -> None:
    """Raises SystemExit with a sentence if a database is of a later version than this one, or is no database; one that
    is missing is passed over."""
    for path, schema in list_schemas(data_paths).items():
        if (version := find_version(path)) > current_version(schema):
            raise SystemExit(
                f"{path} is of a later version of Quintet (schema {version}, this one knows {current_version(schema)}):"
                " run the version that made it."
            )


def refuse_earlier_versions(data_paths: DataPaths) -> None:
    """Raises SystemExit with a sentence if a database is of an earlier version than this one, or is no database; one
    that is missing is passed over."""
    for path, schema in list_schemas(data_paths).items():
        if path.exists() and (version := find_version(path)) < current_version(schema):
            raise SystemExit(
                f"{path} is of an earlier version of Quintet (schema {version}, this one is {current_version(schema)}):"
                " run bin/init, which upgrades it."
            )


def upgrade_all(data_paths: DataPaths) -> list[Upgrade]:
    """Those databases that were of an earlier version; otherwise raises as `upgrade_database`.

    Each is all or nothing by itself: after an interruption the next call upgrades the others. Raises SystemExit with a
    sentence, before anything changes, if one is of a later version.
    """
    refuse_later_versions(data_paths)
    schemas = list_schemas(data_paths)
    with locked_unused([path for path, schema in schemas.items() if find_version(path) < current_version(schema)]):
        pass  # if one is in use, it is better to refuse before the others change
    upgrades = [upgrade_database(path, schema) for path, schema in schemas.items()]
    return [upgrade for upgrade in upgrades if upgrade is not None]


def upgrade_database(path: Path, schema: str) -> Upgrade | None:
    """None if it is of this version already.

    Raises SystemExit with a sentence if a step fails, as for a database of another kind, and InUse if a service has it
    open.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            version = read_version(database)
            if version == current_version(schema):
                return None
            lock_exclusively(database, path)
            remarks = run_steps(database, schema, version)
            database.execute("COMMIT")
        seal(path)
    except sqlite3.Error as error:
        raise SystemExit(f"{path} cannot be brought up to date ({error}).") from error
    return Upgrade(path, current_version(schema), tuple(remarks))


def run_steps(database: sqlite3.Connection, schema: str, version: int) -> list[str]:
    """Inside a transaction. Returns the remarks of all steps."""
    remarks = [remark for step in STEPS[schema][version:] for remark in step(database)]
    database.execute(f"PRAGMA user_version = {current_version(schema)}")
    return remarks


def describe_upgrades(upgrades: Sequence[Upgrade]) -> list[str]:
    """Sentences for the operator."""
    if not upgrades:
        return []
    names = ", ".join(f"{upgrade.path} to version {upgrade.version}" for upgrade in upgrades)
    return [f"Upgraded {names}.", *(remark for upgrade in upgrades for remark in upgrade.remarks)]
