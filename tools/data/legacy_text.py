"""Reads old databases in the form of SQL text, as sqlite3's `.dump` writes it."""

import re
import sqlite3
from collections import deque
from contextlib import closing
from pathlib import Path

MAX_LINE_LENGTH = 80
"""Characters of a line that are shown."""

ESCAPE = re.compile(r"\\(?:\\|(\+[0-9A-Fa-f]{6}|U[0-9A-Fa-f]{8}|u?[0-9A-Fa-f]{4}))")

BEGIN = "BEGIN TRANSACTION;"
"""The line with which each dump begins its transaction."""


def run_text(source: Path, path: Path) -> None:
    """Runs the SQL text into a new database at `path`, and replaces a file there.

    Raises SystemExit with a sentence if the text does not run to its end.
    """
    sql = read_text(source)
    with closing(create_scratch(path)) as database:
        execute_text(database, sql, source)
        if database.in_transaction:
            raise SystemExit(f"{source} is cut off: its transaction has no end.")
    if sql.rstrip().rpartition("\n")[2].startswith("ROLLBACK"):
        raise SystemExit(f"{source} ends with ROLLBACK, as a dump does after an error: it has no tables.")


def create_scratch(path: Path) -> sqlite3.Connection:
    """An empty database in which untrusted SQL can run: it cannot attach files, and so cannot write any."""
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
    """Raises SystemExit with SQLite's error, and with the statement if it violates a constraint."""
    last_statement: deque[str] = deque(maxlen=1)
    database.set_trace_callback(last_statement.append)
    try:
        database.executescript(sql)
    except (sqlite3.Error, ValueError) as error:
        row = f": {last_statement[0].strip()[:MAX_LINE_LENGTH]}" if isinstance(error, sqlite3.IntegrityError) else ""
        raise SystemExit(
            f"{source} is not SQL text that SQLite can run to the end: {error}{row}.{explain_failure(sql)}"
        ) from error


def read_text(source: Path) -> str:
    """Raises SystemExit with the first line that is not UTF-8: in a dump, probably a row with a name."""
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
    """A sentence, after a space, on the probable cause of an error; empty if the error explains itself."""
    if sql.splitlines().count(BEGIN) > 1:
        return " It consists of several dumps: pass each one as a separate file."
    if "\0" not in sql and not sqlite3.complete_statement(sql):
        return " It is cut off: its last statement has no end."
    return ""


def unescape_text(text: str) -> str:
    r"""SQLite's unistr(), with which .dump writes control characters since 3.50: `\000a`, `\u000a`, `\+00000a`."""
    return ESCAPE.sub(lambda match: "\\" if match[1] is None else chr(int(match[1].lstrip("+uU"), 16)), text)
