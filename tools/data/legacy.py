"""Gathers the users and games of all old databases in one, for bin/shard.

That is a SQLite database in memory, in autocommit mode, with the tables `main.users` and `main.games`. Their values are
not validated, and may be of any type, since SQLite does not enforce column types. `source` is the number of the file
that a row comes from.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from tqdm import tqdm

from tools.data.atomic_files import is_damaged
from tools.data.legacy_text import run_text
from tools.data.legacy_times import TIMED_GAMES

SQLITE_MAGIC = b"SQLite format 3\0"
ENCODINGS = {2: "UTF-16le", 3: "UTF-16be"}
"""By their number in the header of a file; any other number is UTF-8."""

COLUMNS = {
    "users": ("user_id", "username"),
    "games": ("user_id", "game_id", "finished", "guesses", "won"),
}
CREATE_TABLES = """
CREATE TABLE users (user_id, username, source INTEGER);
CREATE TABLE games (user_id, game_id, finished_at, guesses, won, source INTEGER);
"""
COPY_ROWS = {
    "users": "INSERT INTO main.users SELECT user_id, username, ? FROM source.users",
    "games": f"INSERT INTO main.games SELECT *, ? FROM ({TIMED_GAMES})",  # noqa: S608 - text of ours
}


@contextmanager
def refusing_unreadable(source: Path) -> Iterator[None]:
    """Turns an error of SQLite while it reads a source into SystemExit."""
    try:
        yield
    except sqlite3.Error as error:
        raise SystemExit(f"{source} {'is damaged' if is_damaged(error) else 'cannot be read'}: {error}.") from error


@contextmanager
def gather(sources: Sequence[Path], scratch: Path) -> Iterator[sqlite3.Connection]:
    """Copies the users and games of all sources, each a SQLite file or SQL text with one or both tables.

    `scratch` is the path of a temporary database, into which SQL text is run. Raises SystemExit with a sentence if a
    source is invalid.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None, uri=True)) as legacy:
        # Text that is not UTF-8 can be read, for an error message, but not written.
        legacy.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
        legacy.executescript(CREATE_TABLES)
        found: set[str] = set()
        for number, source in enumerate(tqdm(sources, unit=" files", leave=False, disable=None)):
            path = prepare_source(source, scratch)
            with refusing_unreadable(source):
                legacy.execute("ATTACH ? AS source", (to_uri(path),))
                found.update(copy_rows(legacy, source, number))
                legacy.execute("DETACH source")
        for table in COLUMNS:
            if table not in found:
                raise SystemExit(f"{', '.join(map(str, sources))}: there is no table {table}.")
        yield legacy


def prepare_source(source: Path, scratch: Path) -> Path:
    """Returns the source if it is a SQLite file, otherwise runs its SQL text into `scratch` and returns that.

    Raises SystemExit with a sentence if it is neither, or not in UTF-8.
    """
    header = read_header(source)
    if header.startswith(SQLITE_MAGIC):
        path = source
    else:
        run_text(source, scratch)
        path, header = scratch, read_header(scratch)
    if encoding := ENCODINGS.get(int.from_bytes(header[56:60], "big")):
        raise SystemExit(
            f"{source} is in {encoding}: give its SQL text instead, which sqlite3's .dump writes in UTF-8."
        )
    return path


def read_header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(100)


def to_uri(path: Path) -> str:
    """The URI that opens a SQLite file for reading only."""
    in_wal_mode = read_header(path)[18:20] == b"\2\2"
    # No process has a WAL-mode file open that has no WAL beside it; mode=ro would create one and leave it there.
    unused = in_wal_mode and not path.with_name(f"{path.name}-wal").exists()
    return f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if unused else ''}"


def copy_rows(legacy: sqlite3.Connection, source: Path, number: int) -> list[str]:
    """Copies the tables of the source, and returns their names.

    It does so in one transaction, since the old program may still be writing. Raises SystemExit with a sentence if the
    source has neither table, or if a column is missing.
    """
    legacy.execute("BEGIN")
    columns = {table: list_columns(legacy, table) for table in COLUMNS}
    tables = [table for table in COLUMNS if columns[table]]
    if not tables:
        raise SystemExit(f"{source} has neither a table users nor a table games.")
    for table in tables:
        if missing := [column for column in COLUMNS[table] if column not in columns[table]]:
            raise SystemExit(f"{source}: the table {table} has no column {', '.join(missing)}.")
        legacy.execute(COPY_ROWS[table], (number,))
    legacy.execute("COMMIT")
    return tables


def list_columns(legacy: sqlite3.Connection, table: str) -> set[str]:
    """In lower case; empty if there is no such table or view."""
    rows = legacy.execute("SELECT name FROM pragma_table_info(?, 'source')", (table,))
    return {name.lower() for (name,) in rows}
