"""Splitting an old database over the shards, for bin/shard: who gets which id, the new databases, and what is read
back from them.

A player's games, in the order of game_id, are the player's *history*: a text with one entry a game. Checksums are
SHA-256 over the histories, so they do not depend on the order in which the rows lie in a file.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from servicekit.sharding import shard_number
from tools.legacy import IN_CALENDAR, SOUND_BUT_FOR_TIME
from tools.locations import SHARE
from tools.rebuilding import fill_standings
from tools.staging import create_database, open_to_read, seal

CREATE_PLAYERS = """
CREATE TEMP TABLE players (user_id INTEGER PRIMARY KEY, shard INTEGER NOT NULL, rank INTEGER NOT NULL, id BLOB,
    UNIQUE (shard, rank))
"""
INSERT_PLAYER = "INSERT INTO temp.players (user_id, rank, id, shard) VALUES (?, ?, ?, ?)"
CREATE_PLAYED = """
CREATE TEMP TABLE played (
    rank INTEGER, game_id INTEGER, finished TEXT, guesses INTEGER, won INTEGER,
    PRIMARY KEY (rank, game_id)
) WITHOUT ROWID
"""
TAKE_GAMES = f"""
INSERT OR IGNORE INTO temp.played (rank, game_id, finished, guesses, won)
SELECT rank, game_id, finished_at, guesses, won
FROM temp.timed_games CROSS JOIN temp.players USING (user_id)
WHERE {SOUND_BUT_FOR_TIME}
ORDER BY rank, game_id
"""  # noqa: S608 - text of ours
# Here and not above, where SQLite would work the time out twice.
COUNT_SOUND = f"SELECT COUNT(*) FROM temp.played WHERE finished {IN_CALENDAR}"  # noqa: S608 - text of ours
HISTORY = "group_concat(game_id || finished || guesses || won)"
SELECT_HISTORIES = f"SELECT rank, COUNT(*), {HISTORY} FROM temp.played GROUP BY rank"  # noqa: S608 - text of ours
INSERT_GAMES = """
INSERT INTO shard.games (user_id, game_id, finished, guesses, won)
SELECT id, game_id, finished, guesses, won
FROM temp.players CROSS JOIN temp.played USING (rank)
WHERE shard = ?
ORDER BY rank, game_id
"""
SELECT_STORED = f"SELECT user_id, COUNT(*), {HISTORY} FROM games GROUP BY user_id ORDER BY user_id"  # noqa: S608 - text of ours
INSERT_USER = "INSERT INTO users (user_id, username) VALUES (?, ?)"
SELECT_USERS = "SELECT user_id, username FROM users ORDER BY user_id"
INSERT_IMPORT = "INSERT INTO imports (checksum, users, games, imported_at) VALUES (?, ?, ?, ?)"


class Player(NamedTuple):
    shard: int
    id: bytes
    """The 16 bytes of the new id, a random UUID."""
    user_id: int
    """The old id."""
    username: str


class History(NamedTuple):
    games: int
    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a shard has, or should have, in it."""

    games: int
    checksum: str
    """In hexadecimal, over the ids and histories of those who have played, in the order of the ids."""


@dataclass(frozen=True, slots=True)
class Split:
    """The old rows, and where each will be."""

    players: Sequence[Player]
    """In the order of shards and ids."""
    histories: Sequence[History]
    """One for each player."""

    @property
    def games(self) -> int:
        return sum(history.games for history in self.histories)

    def sum_source(self) -> str:
        """Over all old rows, in hexadecimal: the same for the file, its dump, and any order of the rows."""
        digest = hashlib.sha256()
        for player, history in sorted(self._pairs(), key=lambda pair: pair[0].user_id):
            # A name may have anything in it; with its length before it, no two sources give the same text.
            text = f"{player.user_id} {len(player.username)} {player.username} {history.text}\n"
            digest.update(text.encode())
        return digest.hexdigest()

    def expect_users(self) -> list[tuple[bytes, str]]:
        """Id and name, in the order of the ids."""
        return sorted((player.id, player.username) for player in self.players)

    def expect_shard(self, number: int) -> Content:
        return sum_shard(
            (player.id, *history) for player, history in self._pairs() if player.shard == number and history.games
        )

    def _pairs(self) -> Iterator[tuple[Player, History]]:
        return zip(self.players, self.histories, strict=True)


def sum_shard(rows: Iterable[tuple[bytes, int, str]]) -> Content:
    """Of id, number of games and history of those who have played, in the order of the ids."""
    games = 0
    digest = hashlib.sha256()
    for player_id, count, history in rows:
        games += count
        digest.update(player_id + history.encode() + b"\n")
    return Content(games, digest.hexdigest())


def split_legacy(legacy: sqlite3.Connection, *, shards: int, latest: str) -> Split | None:
    """Gives each user an id and fills `temp.players` and `temp.played`; the users are known to be right.

    None if a game is not.
    """
    players = number_players(legacy, shards=shards)
    legacy.execute(CREATE_PLAYED)
    legacy.execute(TAKE_GAMES)
    sound = legacy.execute(COUNT_SOUND, {"latest": latest}).fetchone()
    if sound != legacy.execute("SELECT COUNT(*) FROM main.games").fetchone():
        return None
    histories = [History(0, "")] * len(players)
    for rank, games, text in legacy.execute(SELECT_HISTORIES):
        histories[rank] = History(games, text)
    return Split(players, histories)


def number_players(legacy: sqlite3.Connection, *, shards: int) -> list[Player]:
    """In the order of shards and ids; `temp.players` gives each the place in this order as its rank."""
    players = []
    for user_id, username in legacy.execute("SELECT user_id, CAST(username AS TEXT) FROM main.users"):
        new_id = uuid4()
        players.append(Player(shard_number(new_id, shards), new_id.bytes, user_id, username))
    players.sort()
    legacy.execute("PRAGMA temp.cache_size = -100000")  # kB: a million games are not written to a temporary file
    legacy.execute("BEGIN")
    legacy.execute(CREATE_PLAYERS)
    legacy.executemany(
        INSERT_PLAYER,
        ((player.user_id, rank, player.id, player.shard) for rank, player in enumerate(players)),
    )
    legacy.execute("COMMIT")
    return players


def build_shard(path: Path, legacy: sqlite3.Connection, number: int) -> Content:
    """Returns what is in the finished file when it is read again."""
    create_database(path, SHARE / "games.sql").close()
    legacy.execute("ATTACH ? AS shard", (str(path.absolute()),))
    legacy.execute("PRAGMA shard.journal_mode = OFF")
    legacy.execute("PRAGMA shard.synchronous = OFF")
    legacy.execute("PRAGMA ignore_check_constraints = ON")  # the games are known to be sound; it halves the time
    legacy.execute(INSERT_GAMES, (number,))
    legacy.execute("DETACH shard")
    with closing(sqlite3.connect(path, isolation_level=None)) as shard:
        shard.execute("PRAGMA journal_mode = OFF")
        shard.execute("PRAGMA synchronous = OFF")
        shard.execute("BEGIN")
        fill_standings(shard)
        shard.execute("COMMIT")
    seal(path)
    with closing(open_to_read(path)) as shard:
        return sum_shard(shard.execute(SELECT_STORED))


def build_users(path: Path, split: Split, *, checksum: str, imported_at: str) -> None:
    with closing(create_database(path, SHARE / "users.sql")) as users:
        users.execute("BEGIN")
        users.executemany(INSERT_USER, split.expect_users())
        users.execute(INSERT_IMPORT, (checksum, len(split.players), split.games, imported_at))
        users.execute("COMMIT")
    seal(path)


def read_users(path: Path) -> list[tuple[bytes, str]]:
    """Id and name, in the order of the ids."""
    with closing(open_to_read(path)) as users:
        return users.execute(SELECT_USERS).fetchall()
