"""Finds databases with data that a script would overwrite."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tools.config.paths import DataPaths
from tools.data.atomic_files import open_to_read


def list_populated(data_paths: DataPaths) -> list[Path]:
    """The databases with at least one player or game. Raises SystemExit if one cannot be read."""
    tables = {data_paths.users: "users", **dict.fromkeys(data_paths.shards, "games")}
    return [path for path, table in tables.items() if path.exists() and has_row(path, table)]


def has_row(path: Path, table: str) -> bool:
    try:
        with closing(open_to_read(path)) as database:
            return database.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None  # noqa: S608 - our names
    except sqlite3.Error as error:
        raise SystemExit(f"{path} cannot be read ({error}): remove it, or replace it with --force.") from error
