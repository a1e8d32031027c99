"""Validates the old users and games for bin/shard.

The statements use the tables of tools/data/legacy.py and `temp.ids`, which maps each stored user_id to the rank of its
user (tools/data/shard_writer.py).
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stats.models import MAX_GAME_ID
from stats.results import MAX_GUESSES
from tools.data.legacy_ids import IdMapping, StoredId
from tools.data.legacy_times import IN_CALENDAR
from users.accounts.names import is_placeholder_of_another

MAX_SHOWN = 10
"""The number of rows with a fault whose keys are listed."""
MAX_KEY_LENGTH = 80
"""Characters of a key that are shown: it may be of any length."""


@dataclass(frozen=True, slots=True)
class Rule:
    fault: str
    """Describes the games that violate the rule."""
    violation: str
    """SQL condition, never NULL, for rows that violate the rule; `:latest` is the latest time that is accepted."""


RULES = (
    Rule(
        f"whose game_id is not an integer in 0-{MAX_GAME_ID}",
        f"typeof(game_id) <> 'integer' OR game_id NOT BETWEEN 0 AND {MAX_GAME_ID}",
    ),
    Rule(
        "whose guesses are not an integer in 1-6, also for a lost game (if that is the only fault:"
        " UPDATE games SET guesses = 6 WHERE won = 0)",
        f"typeof(guesses) <> 'integer' OR guesses NOT BETWEEN 1 AND {MAX_GUESSES}",
    ),
    Rule("whose won is neither 0 nor 1", "typeof(won) <> 'integer' OR won NOT IN (0, 1)"),
    Rule(
        "whose finished is not a time in the past in one of SQLite's formats, such as YYYY-MM-DD HH:MM:SS",
        f"coalesce(finished_at, '') NOT {IN_CALENDAR}",
    ),
)
IS_VALID = " AND ".join(f"NOT ({rule.violation})" for rule in RULES)
"""SQL condition for games that violate none of the rules."""

# Each statement selects the rows with a fault: their keys as SQL literals, and the numbers of their sources.
INVALID_USER_IDS = """
SELECT quote(user_id), source FROM main.users WHERE user_id IS NULL OR user_id NOT IN (SELECT user_id FROM temp.ids)
"""
USER_FAULTS = {
    "user_ids with several usernames": (
        "SELECT quote(MIN(user_id)), group_concat(DISTINCT source) FROM main.users JOIN temp.ids USING (user_id)"
        " GROUP BY rank HAVING COUNT(DISTINCT CAST(username AS TEXT)) > 1 ORDER BY MIN(user_id)"
    ),
    "users (user_id) whose username is not text": (
        "SELECT quote(user_id), source FROM main.users WHERE typeof(username) NOT IN ('text', 'integer')"
    ),
    "users (user_id) whose username is not in UTF-8": (
        "SELECT quote(user_id), source FROM main.users"
        " WHERE typeof(username) = 'text' AND NOT is_utf8(CAST(username AS BLOB))"
    ),
    "usernames (with a user_id) of several users": (
        "SELECT quote(CAST(username AS TEXT)), quote(MIN(user_id)), group_concat(DISTINCT source)"
        " FROM main.users JOIN temp.ids USING (user_id) WHERE typeof(username) IN ('text', 'integer')"
        " GROUP BY CAST(username AS TEXT) COLLATE BINARY HAVING COUNT(DISTINCT rank) > 1 ORDER BY MIN(user_id)"
    ),
    "users (user_id) whose username is the placeholder of another account that has ended": (
        "SELECT quote(user_id), source FROM main.users JOIN temp.ids USING (user_id)"
        " WHERE is_placeholder_of_another(CAST(username AS BLOB), ids.user_id)"
    ),
}
GAME_FAULTS = {
    **{
        f"games (user_id, game_id) {rule.fault}": (
            f"SELECT quote(user_id), quote(game_id), source FROM main.games WHERE {rule.violation}"  # noqa: S608 - ours
        )
        for rule in RULES
    },
    "user_ids of games that are not in users": (
        "SELECT quote(user_id), group_concat(DISTINCT source) FROM main.games"
        " WHERE user_id IS NULL OR user_id NOT IN (SELECT user_id FROM temp.ids) GROUP BY user_id"
    ),
    "games (user_id, game_id) with several results": (
        "SELECT quote(MIN(user_id)), quote(game_id), group_concat(DISTINCT source)"
        " FROM main.games JOIN temp.ids USING (user_id)"
        " GROUP BY rank, game_id HAVING COUNT(DISTINCT finished_at || guesses || won) > 1"
        " ORDER BY MIN(user_id), game_id"
    ),
}


def find_user_faults(legacy: sqlite3.Connection, sources: Sequence[Path], mapping: IdMapping) -> list[str]:
    """A sentence for each fault, with the keys of the first rows."""

    def is_of_another(username: bytes | None, user_id: StoredId) -> bool:
        return is_placeholder_of_another((username or b"").decode(errors="replace"), mapping.ids[user_id])

    legacy.create_function("is_utf8", 1, is_utf8, deterministic=True)
    legacy.create_function("is_placeholder_of_another", 2, is_of_another)
    faults = {f"users whose user_id is not of type {mapping.kind}": INVALID_USER_IDS} | USER_FAULTS
    return find_faults(legacy, faults, sources)


def find_game_faults(legacy: sqlite3.Connection, sources: Sequence[Path], *, latest: str) -> list[str]:
    """A sentence for each fault, with the keys of the first rows."""
    return find_faults(legacy, GAME_FAULTS, sources, latest=latest)


def find_faults(
    legacy: sqlite3.Connection, statements: Mapping[str, str], sources: Sequence[Path], **values: str
) -> list[str]:
    faults = []
    for fault, sql in statements.items():
        if rows := legacy.execute(sql, values).fetchall():
            faults.append(describe_fault(fault, rows, sources))
    return faults


def describe_fault(fault: str, rows: Sequence[tuple[str | int, ...]], sources: Sequence[Path]) -> str:
    """Includes the source only if there are several."""
    shown = []
    for *key, numbers in rows[:MAX_SHOWN]:
        names = " and ".join(str(sources[int(number)]) for number in str(numbers).split(","))
        place = f" in {names}" if len(sources) > 1 else ""
        shown.append(f"({', '.join(format_key(str(part)) for part in key)}){place}")
    more = f" and {len(rows) - MAX_SHOWN:,} more" if len(rows) > MAX_SHOWN else ""
    return f"{fault}: {', '.join(shown)}{more}"


def format_key(key: str) -> str:
    r"""Shortens a key, and shows bytes that are not UTF-8 as `\xff`."""
    return key[:MAX_KEY_LENGTH].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
