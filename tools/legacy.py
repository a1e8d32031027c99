"""The old single database, for bin/shard: how it is opened, as a file or as SQL text, and what in it cannot be right.

Once opened, it is a SQLite connection in which `main.users` and `main.games` are the old tables. Nothing in it can be
relied on: a column of SQLite holds whatever was put into it.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from stats.models import MAX_GAME_ID
from stats.results import MAX_GUESSES

SQLITE_MAGIC = b"SQLite format 3\0"
COLUMNS = {
    "users": ("user_id", "username"),
    "games": ("user_id", "game_id", "finished", "guesses", "won"),
}
SHOWN = 10
"""How many keys of the rows with a fault are named."""
MAX_KEY_LENGTH = 80
"""A key that is no number may be anything."""

# 'YYYY-MM-DD HH:MM:SS' in UTC, or NULL for what is no time. SQLite takes 30 February for 2 March, and 24:00 too, so
# a time is right only if SQLite gives it back as it was, when made to calculate. A fraction of a second is cut off.
MOMENT = "replace(substr(finished, 1, 19), 'T', ' ')"
AFTER_FRACTION = "ltrim(substr(finished, 22), '0123456789')"
ZONE = f"CASE WHEN substr(finished, 20) GLOB '.[0-9]*' THEN {AFTER_FRACTION} ELSE substr(finished, 20) END"
FINISHED_AT = f"""CASE
    WHEN typeof(finished) <> 'text' THEN NULL
    WHEN length(finished) = 10 THEN CASE finished || '' WHEN date(finished, '+0 days') THEN finished || ' 00:00:00' END
    WHEN {MOMENT} IS NOT datetime({MOMENT}, '+0 days') THEN NULL
    WHEN {ZONE} IN ('', 'Z') THEN {MOMENT}
    WHEN {ZONE} GLOB '[+-][0-9][0-9]:[0-9][0-9]' THEN datetime({MOMENT} || {ZONE})
END"""

CREATE_TIMED_GAMES = f"""
CREATE TEMP VIEW timed_games AS
SELECT user_id, game_id, finished, {FINISHED_AT} AS finished_at, guesses, won FROM main.games
"""  # noqa: S608 - text of ours


@dataclass(frozen=True, slots=True)
class Rule:
    fault: str
    """What is said of the rows that break the rule."""
    broken: str
    """SQL, true or false and never NULL: whether a row does; `:latest` is the latest time that is not in the future."""


IN_CALENDAR = "BETWEEN '0001-01-01 00:00:00' AND :latest"
"""SQL: Python's calendar starts with the year 1. Years before 0 have a sign, which sorts before the digits."""
TIME_RULE = Rule(
    "have a finished that is no time in the past written as YYYY-MM-DD or YYYY-MM-DD HH:MM:SS",
    f"coalesce(finished_at, '') NOT {IN_CALENDAR}",
)
OTHER_RULES = (
    Rule("have a user_id that is no integer", "typeof(user_id) <> 'integer'"),
    Rule(
        f"have a game_id that is no integer in 0-{MAX_GAME_ID}",
        f"typeof(game_id) <> 'integer' OR game_id NOT BETWEEN 0 AND {MAX_GAME_ID}",
    ),
    Rule(
        "have guesses that are no integer in 1-6, which a lost game has too (where that is all that is wrong:"
        " UPDATE games SET guesses = 6 WHERE won = 0)",
        f"typeof(guesses) <> 'integer' OR guesses NOT BETWEEN 1 AND {MAX_GUESSES}",
    ),
    Rule("have a won that is neither 0 nor 1", "typeof(won) <> 'integer' OR won NOT IN (0, 1)"),
)
SOUND_BUT_FOR_TIME = " AND ".join(f"NOT ({rule.broken})" for rule in OTHER_RULES)
"""SQL: whether a game keeps all rules that its row can keep by itself, its time apart."""

# Each statement lists the keys of the rows that have the fault, as SQL writes them.
USER_FAULTS = {
    "users have a user_id that is no integer": (
        "SELECT quote(user_id) FROM main.users WHERE typeof(user_id) <> 'integer'"
    ),
    "user_ids are there more than once": (
        "SELECT quote(user_id) FROM main.users WHERE user_id IS NOT NULL GROUP BY user_id HAVING COUNT(*) > 1"
    ),
    "users (user_id) have a username that is no text": (
        "SELECT quote(user_id) FROM main.users WHERE typeof(username) NOT IN ('text', 'integer')"
    ),
    "usernames (and a user_id) are those of several users": (
        "SELECT quote(CAST(username AS TEXT)), quote(MIN(user_id)) FROM main.users"
        " WHERE typeof(username) IN ('text', 'integer')"
        " GROUP BY CAST(username AS TEXT) COLLATE BINARY HAVING COUNT(*) > 1"
    ),
}
GAME_FAULTS = {
    **{
        f"games (user_id, game_id) {rule.fault}": (
            f"SELECT quote(user_id), quote(game_id) FROM temp.timed_games WHERE {rule.broken}"  # noqa: S608 - text of ours
        )
        for rule in (*OTHER_RULES, TIME_RULE)
    },
    "games (user_id, game_id) are of no user": (
        "SELECT quote(user_id), quote(game_id) FROM main.games WHERE typeof(user_id) = 'integer'"
        " AND user_id NOT IN (SELECT user_id FROM main.users WHERE typeof(user_id) = 'integer')"
    ),
    "games (user_id, game_id) are there more than once": (
        "SELECT quote(user_id), quote(game_id) FROM main.games GROUP BY user_id, game_id HAVING COUNT(*) > 1"
    ),
}

ESCAPE = re.compile(r"\\(?:\\|(\+[0-9A-Fa-f]{6}|U[0-9A-Fa-f]{8}|u?[0-9A-Fa-f]{4}))")

ROW = r"INSERT INTO (?:games|\"games\") VALUES\([^';\n]*(?:'[^'\n]*'[^';\n]*)*\);\r?\n"
"""A row of `games` as `.dump` and Python's iterdump() write it, one a line."""
ROWS = re.compile(f"^(?>(?:{ROW}){{1,100}})", re.MULTILINE)
BETWEEN_ROWS = re.compile(r";\r?\nINSERT INTO (?:games|\"games\") VALUES(?=\()")
UNCONSTRAIN_GAMES = (
    "CREATE TEMP TABLE bare_games AS SELECT * FROM games; DROP TABLE games;"
    " CREATE TABLE games AS SELECT * FROM temp.bare_games; DROP TABLE temp.bare_games;\n"
)


@contextmanager
def refusing_unreadable(source: Path) -> Iterator[None]:
    """Turns what SQLite says of a source that it cannot read into SystemExit."""
    try:
        yield
    except sqlite3.Error as error:
        raise SystemExit(f"{source} cannot be read: {error}. Is it damaged, or cut off?") from error


@contextmanager
def open_legacy(source: Path) -> Iterator[sqlite3.Connection]:
    """The old database, in memory and in autocommit mode, with the view `temp.timed_games`: its games with
    `finished_at` in UTC.

    Raises SystemExit with a sentence if it is not what it should be.
    """
    with refusing_unreadable(source), source.open("rb") as file:
        header = file.read(100)
        legacy = load_file(source, header) if header.startswith(SQLITE_MAGIC) else load_text(source)
    with closing(legacy):
        with refusing_unreadable(source):
            require_tables(legacy, source)
            legacy.execute(CREATE_TIMED_GAMES)
        yield legacy


def load_file(source: Path, header: bytes) -> sqlite3.Connection:
    """A copy of the file, in memory, as it is at one moment: the old program may go on meanwhile."""
    in_wal_mode = header[18:20] == b"\2\2"
    # A WAL file that nobody has open has no WAL beside it; mode=ro would make one there and leave it.
    unused = in_wal_mode and not source.with_name(f"{source.name}-wal").exists()
    uri = f"{source.as_uri()}?mode=ro{'&immutable=1' if unused else ''}"
    legacy = sqlite3.connect(":memory:", isolation_level=None)
    with closing(sqlite3.connect(uri, uri=True)) as file:
        file.backup(legacy)
    return legacy


def load_text(source: Path) -> sqlite3.Connection:
    """The database that the SQL text describes, in memory.

    The text can attach no file, and so write none. Raises SystemExit if it does not run to its end.
    """
    try:
        sql = source.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SystemExit(f"{source} is neither a SQLite database nor SQL text in UTF-8.") from None
    legacy = sqlite3.connect(":memory:", isolation_level=None)
    legacy.create_function("unistr", 1, unescape_text, deterministic=True)
    attached = legacy.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    try:
        legacy.executescript(merge_rows(sql))
    except (sqlite3.Error, ValueError) as error:
        legacy.close()
        raise SystemExit(f"{source} is no SQL text that SQLite can run to its end: {error}. Is it cut off?") from error
    legacy.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, attached)
    if legacy.in_transaction:
        legacy.close()
        raise SystemExit(f"{source} is cut off: its transaction has no end.")
    return legacy


def unescape_text(text: str) -> str:
    r"""SQLite's unistr(), in which .dump writes control characters since 3.50: `\000a`, `\u000a`, `\+00000a`."""
    return ESCAPE.sub(lambda match: "\\" if match[1] is None else chr(int(match[1].lstrip("+uU"), 16)), text)


def merge_rows(sql: str) -> str:
    """The same text with the rows of games inserted a hundred at a time, into a table without constraints.

    A million rows are there in 2 s instead of 5: the primary key, in whatever order the rows come, costs most, and
    find_faults looks for what it would refuse.
    """
    parts: list[str] = []
    end = 0
    for match in ROWS.finditer(sql):
        between = sql[end : match.start()]
        if between.strip() and not sqlite3.complete_statement(between):
            return sql  # these rows stand in a text or a comment
        parts += (between, "" if parts else UNCONSTRAIN_GAMES, BETWEEN_ROWS.sub(",", match[0]))
        end = match.end()
    return "".join((*parts, sql[end:]))


def require_tables(legacy: sqlite3.Connection, source: Path) -> None:
    for table, columns in COLUMNS.items():
        found = {name.lower() for (name,) in legacy.execute("SELECT name FROM pragma_table_info(?)", (table,))}
        if not found:
            raise SystemExit(f"{source} has no table {table} (a dump that ends in ROLLBACK has none at all).")
        if missing := [column for column in columns if column not in found]:
            raise SystemExit(f"{source}: the table {table} has no column {', '.join(missing)}.")
    encoding = legacy.execute("PRAGMA encoding").fetchone()[0]
    if encoding != "UTF-8":
        raise SystemExit(
            f"{source} is in {encoding}: give its SQL text instead, which sqlite3's .dump writes in UTF-8."
        )


def find_faults(legacy: sqlite3.Connection, statements: Mapping[str, str], *, latest: str) -> list[str]:
    """What USER_FAULTS or GAME_FAULTS find, one sentence a kind, with the keys of the first rows that have it."""
    faults = []
    for fault, sql in statements.items():
        if keys := legacy.execute(sql, {"latest": latest}).fetchall():
            faults.append(describe_fault(fault, keys))
    return faults


def describe_fault(fault: str, keys: list[tuple[str, ...]]) -> str:
    shown = ", ".join(f"({', '.join(part[:MAX_KEY_LENGTH] for part in key)})" for key in keys[:SHOWN])
    return f"{len(keys):,} {fault}: {shown}{', ...' if len(keys) > SHOWN else ''}"
