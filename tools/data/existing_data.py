"""Finds databases with data that a script would overwrite."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tools.config.paths import DataPaths
from tools.data.atomic_files import open_to_read
from tools.data.server_databases import find_server_version, has_server_row

IF_MISSING = "restore a backup with bin/restore; for a new suite, run bin/init"
IF_UNUSABLE = (
    "restore a backup with bin/restore --force, or recreate all databases with bin/init --force, which loses all"
    " players and games"
)
"""Advice, which ends a sentence after a colon."""


def interrupted_restore(data_paths: DataPaths) -> Path:
    """A file that is there while bin/restore commits one server after the other."""
    return data_paths.folder / ".restore-interrupted"


def refuse_interrupted_restore(data_paths: DataPaths) -> None:
    """Raises SystemExit if bin/restore was killed after it had replaced a part of the databases."""
    if interrupted_restore(data_paths).exists():
        raise SystemExit(
            "A restore was interrupted after it had replaced a part of the databases: run bin/restore --force again."
        )


def refuse_populated(data_paths: DataPaths, *, advice: str) -> None:
    """Raises SystemExit with the advice if a database would lose players or games, or if one cannot be read."""
    if populated := list_populated(data_paths):
        names = describe(data_paths, populated)
        raise SystemExit(f"{names} already has players or games, so nothing was changed: {advice}.")


def list_populated(data_paths: DataPaths) -> list[Path]:
    """The databases with at least one player or game. Raises SystemExit if one cannot be read."""
    tables = {data_paths.users: "users", **dict.fromkeys(data_paths.shards, "games")}
    return [path for path, table in tables.items() if exists(data_paths, path) and has_data(data_paths, path, table)]


def exists(data_paths: DataPaths, path: Path) -> bool:
    """Whether there is this file, or this database has tables on its server."""
    url = data_paths.on_servers.get(path)
    return path.exists() if url is None else find_server_version(url) > 0


def has_data(data_paths: DataPaths, path: Path, table: str) -> bool:
    """Whether a table has a row. Raises SystemExit if the database cannot be read."""
    url = data_paths.on_servers.get(path)
    return has_row(path, table) if url is None else has_server_row(url, table)


def describe(data_paths: DataPaths, paths: Sequence[Path]) -> str:
    """Paths and URLs without passwords, for the operator."""
    return ", ".join(map(data_paths.name, paths))


def has_row(path: Path, table: str) -> bool:
    try:
        with closing(open_to_read(path)) as database:
            return database.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None  # noqa: S608 - our names
    except sqlite3.Error as error:
        raise SystemExit(f"{path} cannot be read ({error}): {IF_UNUSABLE}.") from error
