"""An old database that comes as SQL text, as sqlite3's `.dump` writes it."""

import re
import sqlite3
from collections import deque
from contextlib import closing
from pathlib import Path

MAX_LINE_LENGTH = 80
"""As much of a line of the text is shown."""

ESCAPE = re.compile(r"\\(?:\\|(\+[0-9A-Fa-f]{6}|U[0-9A-Fa-f]{8}|u?[0-9A-Fa-f]{4}))")

BEGINNING = "BEGIN TRANSACTION;"
"""A line that each dump has once."""


def run_text(source: Path, path: Path) -> None:
    """Makes the database that the SQL text describes, in a file that is replaced.

    Raises SystemExit with a sentence if the text does not run to its end.
    """
    sql = read_text(source)
    with closing(create_scratch(path)) as database:
        execute_text(database, sql, source)
        if database.in_transaction:
            raise SystemExit(f"{source} is cut off: its transaction has no end.")
    if sql.rstrip().rpartition("\n")[2].startswith("ROLLBACK"):
        raise SystemExit(f"{source} ends in ROLLBACK, as a dump does that met an error: it has no tables.")


def create_scratch(path: Path) -> sqlite3.Connection:
    """An empty database that foreign SQL may fill: it can attach no file, and so write none."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA cache_size = -100000")  # kB: a million games are built in memory, and written once
    database.create_function("unistr", 1, unescape_text, deterministic=True)
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    return database


def execute_text(database: sqlite3.Connection, sql: str, source: Path) -> None:
    """Raises SystemExit with SQLite's error, and with the row if it breaks a constraint."""
    started: deque[str] = deque(maxlen=1)
    database.set_trace_callback(started.append)
    try:
        database.executescript(sql)
    except (sqlite3.Error, ValueError) as error:
        row = f": {started[0].strip()[:MAX_LINE_LENGTH]}" if isinstance(error, sqlite3.IntegrityError) else ""
        raise SystemExit(
            f"{source} is no SQL text that SQLite can run to its end: {error}{row}.{explain_failure(sql)}"
        ) from error


def read_text(source: Path) -> str:
    """Raises SystemExit with the first line that is not UTF-8: of a dump, most likely a row with a name."""
    content = source.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        line = content.split(b"\n", number)[number - 1].decode("utf-8", "backslashreplace").strip()
        raise SystemExit(
            f"{source} is neither a SQLite database nor SQL text in UTF-8. Line {number:,} is not:"
            f" {line[:MAX_LINE_LENGTH]}"
        ) from None


def explain_failure(sql: str) -> str:
    """A sentence, with a space before it, on why a text may have failed; empty if the error says it all."""
    if sql.splitlines().count(BEGINNING) > 1:
        return " It has several dumps one after the other: give each as a file of its own."
    if "\0" not in sql and not sqlite3.complete_statement(sql):
        return " It is cut off: its last statement has no end."
    return ""


def unescape_text(text: str) -> str:
    r"""SQLite's unistr(), in which .dump writes control characters since 3.50: `\000a`, `\u000a`, `\+00000a`."""
    return ESCAPE.sub(lambda match: "\\" if match[1] is None else chr(int(match[1].lstrip("+uU"), 16)), text)
