"""Writes the old users and games to new databases, and reads them back, for bin/shard.

The *history* of a player is a text with one entry for each game, in the order of game_id. Checksums are SHA-256 over
the histories, so they do not depend on the order of the rows in a file.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from servicekit.db.sharding import shard_number
from tools.config.paths import SHARE
from tools.data.atomic_files import create_database, new_database, open_to_read, seal
from tools.data.legacy_faults import IS_VALID
from tools.data.legacy_ids import StoredId
from tools.data.rebuild_standings import fill_standings

CREATE_PLAYERS = "CREATE TEMP TABLE players (rank INTEGER PRIMARY KEY, shard INTEGER, id BLOB, UNIQUE (shard, rank))"
INSERT_PLAYER = "INSERT INTO temp.players (rank, shard, id) VALUES (?, ?, ?)"
CREATE_IDS = "CREATE TEMP TABLE ids (user_id PRIMARY KEY, rank INTEGER NOT NULL) WITHOUT ROWID"
INSERT_ID = "INSERT INTO temp.ids (user_id, rank) VALUES (?, ?)"
SELECT_NAMES = """
SELECT DISTINCT rank, CAST(username AS TEXT) FROM main.users JOIN temp.ids USING (user_id) ORDER BY rank
"""
CREATE_PLAYED = """
CREATE TEMP TABLE played (
    rank INTEGER, game_id INTEGER, finished TEXT, guesses INTEGER, won INTEGER,
    PRIMARY KEY (rank, game_id)
) WITHOUT ROWID
"""
COPY_GAMES = f"""
INSERT OR IGNORE INTO temp.played (rank, game_id, finished, guesses, won)
SELECT rank, game_id, finished_at, guesses, won
FROM main.games CROSS JOIN temp.ids USING (user_id)
WHERE {IS_VALID}
ORDER BY rank, game_id
"""  # noqa: S608 - text of ours
COUNT_FROM = "SELECT COUNT(*) FROM temp.played WHERE game_id >= ?"
COUNT_DISTINCT = "SELECT COUNT(*) FROM (SELECT DISTINCT rank, game_id FROM main.games JOIN temp.ids USING (user_id))"
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
    """The 16 bytes of the UUID."""
    user_id: int | None
    """The old integer id; None if the old id was a UUID."""
    username: str

    @property
    def source_key(self) -> tuple[int, bytes]:
        """A sort key that is the same in each run."""
        return (0, self.id) if self.user_id is None else (self.user_id, b"")

    @property
    def source_id(self) -> int | UUID:
        return UUID(bytes=self.id) if self.user_id is None else self.user_id


class History(NamedTuple):
    games: int
    text: str


@dataclass(frozen=True, slots=True)
class ShardContent:
    """The number of games in a shard, and their checksum."""

    games: int
    checksum: str
    """In hexadecimal, over the ids and histories of players with games, in the order of the ids."""


@dataclass(frozen=True, slots=True)
class Split:
    """The old users and games, with the shard of each."""

    players: Sequence[Player]
    """Ordered by shard and id."""
    histories: Sequence[History]
    """One for each player, in the same order."""

    @property
    def games(self) -> int:
        return sum(history.games for history in self.histories)

    def checksum_source(self) -> str:
        """In hexadecimal, over all old rows; it does not depend on the form of the source or the order of its rows."""
        digest = hashlib.sha256()
        for player, history in sorted(self._pairs(), key=lambda pair: pair[0].source_key):
            # A name may contain any character: its length makes the text unambiguous.
            text = f"{player.source_id} {len(player.username)} {player.username} {history.text}\n"
            digest.update(text.encode())
        return digest.hexdigest()

    def expected_users(self) -> list[tuple[bytes, str]]:
        """Id and name, in the order of the ids."""
        return sorted((player.id, player.username) for player in self.players)

    def expected_shard(self, number: int) -> ShardContent:
        return checksum_shard(
            (player.id, *history) for player, history in self._pairs() if player.shard == number and history.games
        )

    def _pairs(self) -> Iterator[tuple[Player, History]]:
        return zip(self.players, self.histories, strict=True)


def checksum_shard(rows: Iterable[tuple[bytes, int, str]]) -> ShardContent:
    """`rows` are id, number of games and history of players with games, in the order of the ids."""
    games = 0
    digest = hashlib.sha256()
    for player_id, count, history in rows:
        games += count
        digest.update(player_id + history.encode() + b"\n")
    return ShardContent(games, digest.hexdigest())


def rank_users(legacy: sqlite3.Connection, ids: Mapping[StoredId, UUID], *, shards: int) -> list[UUID]:
    """Orders users by shard and id; the index in this order is the *rank* in `temp.players` and `temp.ids`."""
    users = sorted(set(ids.values()), key=lambda user: (shard_number(user, shards), user.bytes))
    ranks = {user: rank for rank, user in enumerate(users)}
    legacy.execute("PRAGMA temp.cache_size = -100000")  # kB: keeps a million games in memory
    legacy.execute("BEGIN")
    legacy.execute(CREATE_PLAYERS)
    legacy.executemany(INSERT_PLAYER, ((rank, shard_number(user, shards), user.bytes) for user, rank in ranks.items()))
    legacy.execute(CREATE_IDS)
    legacy.executemany(INSERT_ID, ((stored, ranks[user]) for stored, user in ids.items()))
    legacy.execute("COMMIT")
    return users


def split_games(legacy: sqlite3.Connection, players: Sequence[Player], *, latest: str) -> Split:
    """Copies the valid games to `temp.played`, without duplicates."""
    legacy.execute(CREATE_PLAYED)
    legacy.execute(COPY_GAMES, {"latest": latest})
    histories = [History(0, "")] * len(players)
    for rank, games, text in legacy.execute(SELECT_HISTORIES):
        histories[rank] = History(games, text)
    return Split(players, histories)


def read_players(
    legacy: sqlite3.Connection, users: Sequence[UUID], *, integers: Mapping[UUID, int], shards: int
) -> list[Player]:
    """The players of validated users, in the order of `rank_users`."""
    return [
        Player(shard_number(user, shards), user.bytes, integers.get(user), username)
        for user, (_, username) in zip(users, legacy.execute(SELECT_NAMES), strict=True)
    ]


def count_games(legacy: sqlite3.Connection) -> int:
    """Rows, over all sources."""
    return int(legacy.execute("SELECT COUNT(*) FROM main.games").fetchone()[0])


def count_distinct_games(legacy: sqlite3.Connection) -> int:
    """Counts without `temp.played`, as a check."""
    return int(legacy.execute(COUNT_DISTINCT).fetchone()[0])


def count_games_from(legacy: sqlite3.Connection, game_id: int) -> int:
    """Counts games with this number or a later one."""
    return int(legacy.execute(COUNT_FROM, (game_id,)).fetchone()[0])


def build_shard(path: Path, legacy: sqlite3.Connection, number: int) -> ShardContent:
    """Returns the content read back from the finished file."""
    create_database(path, SHARE / "games.sql").close()
    legacy.execute("ATTACH ? AS shard", (str(path.absolute()),))
    legacy.execute("PRAGMA shard.journal_mode = OFF")
    legacy.execute("PRAGMA shard.synchronous = OFF")
    legacy.execute("PRAGMA ignore_check_constraints = ON")  # the games are validated; this halves the time
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
        return checksum_shard(shard.execute(SELECT_STORED))


def build_users(path: Path, split: Split, *, checksum: str, imported_at: str) -> None:
    with new_database(path, SHARE / "users.sql") as users:
        users.executemany(INSERT_USER, split.expected_users())
        users.execute(INSERT_IMPORT, (checksum, len(split.players), split.games, imported_at))


def read_users(path: Path) -> list[tuple[bytes, str]]:
    """Id and name, in the order of the ids."""
    with closing(open_to_read(path)) as users:
        return users.execute(SELECT_USERS).fetchall()
