"""The old databases, for bin/shard: how the users and games of all of them are gathered in one place.

That place is a SQLite connection in memory, in autocommit mode, with the tables `main.users` and `main.games`. Nothing
in them can be relied on, since a column of SQLite holds whatever was put into it. `source` is the number of the file
that a row comes from.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from tqdm import tqdm

from tools.data.legacy_text import run_text
from tools.data.legacy_times import TIMED_GAMES

SQLITE_MAGIC = b"SQLite format 3\0"
ENCODINGS = {2: "UTF-16le", 3: "UTF-16be"}
"""By their number in the header of a file; all others are UTF-8."""
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

COLUMNS = {
    "users": ("user_id", "username"),
    "games": ("user_id", "game_id", "finished", "guesses", "won"),
}
CREATE_TABLES = """
CREATE TABLE users (user_id, username, source INTEGER);
CREATE TABLE games (user_id, game_id, finished_at, guesses, won, source INTEGER);
"""
TAKE_ROWS = {
    "users": "INSERT INTO main.users SELECT user_id, username, ? FROM source.users",
    "games": f"INSERT INTO main.games SELECT *, ? FROM ({TIMED_GAMES})",  # noqa: S608 - text of ours
}


@contextmanager
def refusing_unreadable(source: Path) -> Iterator[None]:
    """Turns what SQLite says of a source that it cannot read into SystemExit."""
    try:
        yield
    except sqlite3.Error as error:
        damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE
        raise SystemExit(f"{source} {'is damaged' if damaged else 'cannot be read'}: {error}.") from error


@contextmanager
def gather(sources: Sequence[Path], scratch: Path) -> Iterator[sqlite3.Connection]:
    """The users and games of all sources, each a SQLite file or SQL text with one or both of the tables.

    `scratch` is a file that may be made, for the database that an SQL text describes. Raises SystemExit with a sentence
    if a source is not what it should be.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None, uri=True)) as legacy:
        # Text that is not UTF-8 can be read, to be named, but never written.
        legacy.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
        legacy.executescript(CREATE_TABLES)
        found: set[str] = set()
        for number, source in enumerate(tqdm(sources, unit=" files", leave=False, disable=None)):
            path = make_database(source, scratch)
            with refusing_unreadable(source):
                legacy.execute("ATTACH ? AS source", (to_uri(path),))
                found.update(take_rows(legacy, source, number))
                legacy.execute("DETACH source")
        for table in COLUMNS:
            if table not in found:
                raise SystemExit(f"{', '.join(map(str, sources))}: there is no table {table}.")
        yield legacy


def make_database(source: Path, scratch: Path) -> Path:
    """The source itself if it is a SQLite file, or what its SQL text describes. Raises SystemExit with a sentence."""
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
    """Of a SQLite file, to be read only."""
    in_wal_mode = read_header(path)[18:20] == b"\2\2"
    # A WAL file that nobody has open has no WAL beside it; mode=ro would make one there and leave it.
    unused = in_wal_mode and not path.with_name(f"{path.name}-wal").exists()
    return f"{path.as_uri()}?mode=ro{'&immutable=1' if unused else ''}"


def take_rows(legacy: sqlite3.Connection, source: Path, number: int) -> list[str]:
    """Copies the tables that the source has, and returns their names.

    In one transaction, so that they are as of one moment: the old program may go on. Raises SystemExit with a
    sentence if there is none, or if one has not its columns.
    """
    legacy.execute("BEGIN")
    columns = {table: list_columns(legacy, table) for table in COLUMNS}
    tables = [table for table in COLUMNS if columns[table]]
    if not tables:
        raise SystemExit(f"{source} has neither a table users nor a table games.")
    for table in tables:
        if missing := [column for column in COLUMNS[table] if column not in columns[table]]:
            raise SystemExit(f"{source}: the table {table} has no column {', '.join(missing)}.")
        legacy.execute(TAKE_ROWS[table], (number,))
    legacy.execute("COMMIT")
    return tables


def list_columns(legacy: sqlite3.Connection, table: str) -> set[str]:
    """In lower case; none if there is no such table or view."""
    rows = legacy.execute("SELECT name FROM pragma_table_info(?, 'source')", (table,))
    return {name.lower() for (name,) in rows}
