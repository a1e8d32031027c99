"""Upgrades databases of earlier versions (migrations).

The version is SQLite's `PRAGMA user_version`; it is 0 in databases from before versions were numbered. Step n in
upgrade_steps.py turns version n into n + 1. All steps of a database run in one transaction under SQLite's exclusive
lock: no service has the file open, and a killed upgrade leaves it unchanged.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import servicekit.db.column_types  # noqa: F401 - registers how UUIDs and times are stored
from servicekit.db.moves import explain_mark
from servicekit.settings import hide_password
from tools.config.paths import DataPaths
from tools.data.atomic_files import lock_exclusively, open_to_read, refuse_in_use, seal
from tools.data.database_readers import NO_SERVERS, Servers
from tools.data.server_databases import upgrade_on_server, upgrade_tables
from tools.data.upgrade_steps import STEPS


@dataclass(frozen=True, slots=True)
class Upgrade:
    path: Path | str
    """Or the URL, without its password."""
    version: int
    """The new version."""
    remarks: tuple[str, ...]
    """Sentences for the operator, such as on what was dropped."""


def list_schemas(data_paths: DataPaths) -> dict[Path, str]:
    """Each file with its schema in share/."""
    return {path: schema for path, schema in list_all_schemas(data_paths).items() if path not in data_paths.on_servers}


def list_all_schemas(data_paths: DataPaths) -> dict[Path, str]:
    """Each database with the name of its schema, also those on servers."""
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
    """The version of a schema file in share/."""
    return len(STEPS[schema])


def find_version(path: Path) -> int:
    """0 for a missing file. Raises SystemExit if the file is not a database."""
    if not path.exists():
        return 0
    try:
        with closing(open_to_read(path)) as database:
            return read_version(database)
    except sqlite3.Error as error:
        raise SystemExit(f"{path} cannot be read ({error}).") from error


def refuse_later_versions(data_paths: DataPaths) -> None:
    """Raises SystemExit with a sentence if a file is of a later version, or not a database. Skips missing files."""
    for path, schema in list_schemas(data_paths).items():
        version = find_version(path)
        if mark := explain_mark(version):
            raise SystemExit(f"{path} {mark}.")
        if version > current_version(schema):
            raise SystemExit(
                f"{path} is of a later version of Quintet (schema {version}, this one knows {current_version(schema)}):"
                " run the version that made it."
            )


def refuse_earlier_versions(data_paths: DataPaths) -> None:
    """Raises SystemExit with a sentence if a file is of an earlier version, or not a database. Skips missing files."""
    for path, schema in list_schemas(data_paths).items():
        if path.exists() and (version := find_version(path)) < current_version(schema):
            raise SystemExit(
                f"{path} is of an earlier version of Quintet (schema {version}, this one is {current_version(schema)}):"
                " run bin/init, which upgrades it."
            )


def upgrade_all(data_paths: DataPaths, servers: Servers = NO_SERVERS) -> list[Upgrade]:
    """Upgrades the databases of earlier versions, each in a transaction: after an interruption, the next call upgrades
    the rest. Those of `servers` are upgraded in the transactions of these connections.

    Raises as `upgrade_database`, and SystemExit with a sentence, before anything changes, if one is of a later version.
    """
    refuse_later_versions(data_paths)
    schemas = list_schemas(data_paths)
    refuse_in_use([path for path, schema in schemas.items() if find_version(path) < current_version(schema)])
    upgrades = [upgrade_database(path, schema) for path, schema in schemas.items()]
    upgrades += upgrade_servers(data_paths, servers)
    return [upgrade for upgrade in upgrades if upgrade is not None]


def upgrade_servers(data_paths: DataPaths, servers: Servers) -> list[Upgrade | None]:
    """Those on PostgreSQL, whose services may run."""
    schemas, upgrades = list_all_schemas(data_paths), []
    for path, url in data_paths.on_servers.items():
        name, schema = hide_password(url), schemas[path]
        if path in servers:
            version = servers[path].run(partial(upgrade_tables, name=name, schema=schema))
        else:
            version = upgrade_on_server(url, schema)
        upgrades.append(None if version is None else Upgrade(name, version, ()))
    return upgrades


def upgrade_database(path: Path, schema: str) -> Upgrade | None:
    """Returns None if it is of the current version.

    Raises SystemExit with a sentence if a step fails, as in a database of another kind, and InUse if a service has it
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
        raise SystemExit(f"{path} cannot be upgraded ({error}).") from error
    return Upgrade(path, current_version(schema), tuple(remarks))


def run_steps(database: sqlite3.Connection, schema: str, version: int) -> list[str]:
    """Runs within the open transaction. Returns the remarks of all steps."""
    remarks = [remark for step in STEPS[schema][version:] for remark in step(database)]
    database.execute(f"PRAGMA user_version = {current_version(schema)}")
    return remarks


def describe_upgrades(upgrades: Sequence[Upgrade]) -> list[str]:
    """Sentences for the operator."""
    if not upgrades:
        return []
    names = ", ".join(f"{upgrade.path} to version {upgrade.version}" for upgrade in upgrades)
    return [f"Upgraded {names}.", *(remark for upgrade in upgrades for remark in upgrade.remarks)]
