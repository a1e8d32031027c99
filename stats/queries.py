"""All SQL of stats. Functions that read take a Readable, functions that write a Transaction."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, cast
from uuid import UUID

from databases.interfaces import Record

from servicekit.db.database import Database, Readable
from servicekit.db.engine import Engine
from servicekit.db.transaction import Transaction
from stats.distribution import ResultCount
from stats.leaderboards import Board, Nearby, Place, Top
from stats.results import Result
from stats.standings import Standing
from stats.streaks import Run

USERS_SCHEMA_VERSION = 4
SHARD_SCHEMA_VERSION = 4
"""Of users.sql and games.sql in share/ and share/postgresql/, whose tables these statements expect."""

USER_EXISTS = "SELECT 1 FROM users WHERE user_id = :user_id"


async def user_exists(users: Database, *, user_id: UUID) -> bool:
    return await users.fetch_one(USER_EXISTS, {"user_id": user_id}) is not None


ID_BYTES = {Engine.SQLITE: "CAST(user_id AS BLOB)", Engine.POSTGRESQL: "uuid_send(user_id)"}
"""A user's id as its 16 bytes."""

SELECT_USERNAMES = "SELECT uuid_send(user_id) AS id_bytes, username FROM users WHERE user_id = ANY (:ids)"
"""On PostgreSQL."""


@cache
def select_usernames(count: int) -> str:
    """On SQLite, which has no arrays: one statement for each count, 1-100, instead of one query per name."""
    names = ", ".join(f":id{number}" for number in range(count))
    return f"SELECT CAST(user_id AS BLOB) AS id_bytes, username FROM users WHERE user_id IN ({names})"  # noqa: S608 - names of ours


async def find_usernames(users: Database, *, ids: Sequence[bytes]) -> dict[bytes, str]:
    """The names of those that exist, by the 16 bytes of their ids."""
    if not ids:
        return {}
    if users.engine is Engine.POSTGRESQL:
        rows = await users.fetch_all(SELECT_USERNAMES, {"ids": [UUID(bytes=id_bytes) for id_bytes in ids]})
    else:
        values = {f"id{number}": id_bytes for number, id_bytes in enumerate(ids)}
        rows = await users.fetch_all(select_usernames(len(ids)), values)
    return {row["id_bytes"]: row["username"] for row in rows}


SELECT_RESULT = "SELECT finished, guesses, won FROM games WHERE user_id = :user_id AND game_id = :game_id"


async def find_result(shard: Readable, *, user_id: UUID, game_id: int) -> Result | None:
    row = await shard.fetch_one(SELECT_RESULT, {"user_id": user_id, "game_id": game_id})
    if row is None:
        return None
    return Result(finished=row["finished"], guesses=row["guesses"], won=row["won"])


SELECT_RESULTS = (
    "SELECT game_id, finished, guesses, won FROM games WHERE user_id = :user_id AND game_id <= :last"
    " ORDER BY game_id DESC LIMIT :limit"
)


async def list_results(shard: Readable, *, user_id: UUID, last: int, limit: int) -> list[tuple[int, Result]]:
    """A user's results of games up to a number, the latest game first."""
    rows = await shard.fetch_all(SELECT_RESULTS, {"user_id": user_id, "last": last, "limit": limit})
    return [(row["game_id"], Result(row["finished"], row["guesses"], row["won"])) for row in rows]


INSERT_RESULT = (
    "INSERT INTO games (user_id, game_id, finished, guesses, won)"
    " VALUES (:user_id, :game_id, :finished, :guesses, :won)"
    " ON CONFLICT (user_id, game_id) DO NOTHING RETURNING game_id"
)


async def insert_result(shard: Transaction, *, user_id: UUID, game_id: int, result: Result) -> bool:
    """False, and nothing changes, if the game has a result already."""
    values = {
        "user_id": user_id,
        "game_id": game_id,
        "finished": result.finished,
        "guesses": result.guesses,
        "won": result.won,
    }
    return await shard.fetch_one(INSERT_RESULT, values) is not None


INCREMENT_GAME_COUNT = (
    "INSERT INTO game_counts (game_id, won, guesses, players) VALUES (:game_id, :won, :guesses, 1)"
    " ON CONFLICT (game_id, won, guesses) DO UPDATE SET players = game_counts.players + 1"
)


async def increment_game_count(shard: Transaction, *, game_id: int, result: Result) -> None:
    """One player more has this result of the game."""
    await shard.execute(INCREMENT_GAME_COUNT, {"game_id": game_id, "won": result.won, "guesses": result.guesses})


SELECT_GAME_COUNTS = "SELECT won, guesses, players FROM game_counts WHERE game_id = :game_id"


async def list_game_counts(shard: Readable, *, game_id: int) -> list[ResultCount]:
    """Twelve rows at most, in any order; none before the shard's first result of the game."""
    rows = await shard.fetch_all(SELECT_GAME_COUNTS, {"game_id": game_id})
    return [ResultCount(row["won"], row["guesses"], row["players"]) for row in rows]


SELECT_WIN_DAYS = "SELECT DISTINCT CAST(date(finished) AS TEXT) AS day FROM games WHERE user_id = :user_id AND won"


async def find_win_days(shard: Readable, *, user_id: UUID) -> list[date]:
    """Reads all games of one user: needed only where a win comes in between earlier ones."""
    rows = await shard.fetch_all(SELECT_WIN_DAYS, {"user_id": user_id})
    return [date.fromisoformat(row["day"]) for row in rows]


SELECT_STANDING = (
    "SELECT won_in_1, won_in_2, won_in_3, won_in_4, won_in_5, won_in_6,"
    " lost, max_streak, last_run, last_win_day, last_day"
    " FROM standings WHERE user_id = :user_id"
)


async def find_standing(shard: Readable, *, user_id: UUID) -> Standing | None:
    """None before the user's first game."""
    row = await shard.fetch_one(SELECT_STANDING, {"user_id": user_id})
    if row is None:
        return None
    *won_in, lost, max_streak, last_run, last_win_day, last_day = cast(Sequence[Any], row)
    return Standing(
        won_in=tuple(won_in),
        lost=lost,
        max_streak=max_streak,
        last_run=None if last_win_day is None else Run(last_run, last_win_day),
        last_day=last_day,
    )


UPSERT_STANDING = (
    "INSERT INTO standings (user_id, won, won_in_1, won_in_2, won_in_3, won_in_4, won_in_5, won_in_6,"
    " lost, max_streak, last_run, last_win_day, last_day)"
    " VALUES (:user_id, :won, :won_in_1, :won_in_2, :won_in_3, :won_in_4, :won_in_5, :won_in_6,"
    " :lost, :max_streak, :last_run, :last_win_day, :last_day)"
    " ON CONFLICT (user_id) DO UPDATE SET won = excluded.won,"
    " won_in_1 = excluded.won_in_1, won_in_2 = excluded.won_in_2, won_in_3 = excluded.won_in_3,"
    " won_in_4 = excluded.won_in_4, won_in_5 = excluded.won_in_5, won_in_6 = excluded.won_in_6,"
    " lost = excluded.lost, max_streak = excluded.max_streak, last_run = excluded.last_run,"
    " last_win_day = excluded.last_win_day, last_day = excluded.last_day"
)


def standing_to_row(user_id: UUID, standing: Standing) -> dict[str, object]:
    """The values of UPSERT_STANDING."""
    won_in = {f"won_in_{number}": games for number, games in enumerate(standing.won_in, start=1)}
    run = standing.last_run
    return won_in | {
        "user_id": user_id,
        "won": standing.won,
        "lost": standing.lost,
        "max_streak": standing.max_streak,
        "last_run": run.length if run else 0,
        "last_win_day": run.last_day if run else None,
        "last_day": standing.last_day,
    }


async def upsert_standing(shard: Transaction, *, user_id: UUID, standing: Standing) -> None:
    await shard.execute(UPSERT_STANDING, standing_to_row(user_id, standing))


DECREMENT_SCORE_COUNT = (
    "UPDATE score_counts SET players = players - 1"
    " WHERE board = :board AND score = :old AND players > 0 RETURNING board"
)
INCREMENT_SCORE_COUNT = (
    "INSERT INTO score_counts (board, score, players) VALUES (:board, :new, 1)"
    " ON CONFLICT (board, score) DO UPDATE SET players = score_counts.players + 1"
)
MOVE_SCORE_COUNT = (
    "WITH old AS (UPDATE score_counts SET players = players - 1"
    " WHERE board = :board AND score = :old AND players > 0 RETURNING board)"
    " INSERT INTO score_counts (board, score, players) SELECT board, :new, 1 FROM old"
    " ON CONFLICT (board, score) DO UPDATE SET players = score_counts.players + 1 RETURNING board"
)
"""Both, on PostgreSQL, where a statement is a round trip: 30 us of the service's CPU, and as much of the server's. The
row of the old score is changed first, since the new one is inserted from it."""


async def increment_score_count(shard: Transaction, *, board: Board, score: int) -> None:
    """One player more has this score."""
    await shard.execute(INCREMENT_SCORE_COUNT, {"board": board, "new": score})


async def move_score_count(shard: Transaction, *, board: Board, old: int, new: int) -> bool:
    """One player less has the old score, and one more the new one. False if none had the old one."""
    values = {"board": board, "old": old, "new": new}
    if shard.engine is Engine.POSTGRESQL:
        return await shard.fetch_one(MOVE_SCORE_COUNT, values) is not None
    if await shard.fetch_one(DECREMENT_SCORE_COUNT, values) is None:
        return False
    await shard.execute(INCREMENT_SCORE_COUNT, values)
    return True


SCORE_COLUMNS = {Board.WINS: "won", Board.STREAKS: "max_streak"}


SUM_PLAYERS = "SELECT SUM(players) FROM score_counts WHERE board = :board"


async def count_players(shard: Database, *, board: Board) -> int:
    """How many players of a shard are on a board; every player with a finished game is on both."""
    players: int | None = await shard.fetch_val(SUM_PLAYERS, {"board": board})  # NULL for an empty board
    return players or 0


@cache
def select_top(board: Board, engine: Engine) -> str:
    score = SCORE_COLUMNS[board]
    return f"""
        SELECT {score}, {ID_BYTES[engine]}, ({SUM_PLAYERS})
        FROM standings ORDER BY {score} DESC, user_id LIMIT :limit
        """  # noqa: S608 - names of ours


async def find_top(shard: Database, *, board: Board, limit: int) -> Top:
    """A shard's first places and its number of players; one statement, so as of one moment."""
    rows = await shard.fetch_all(select_top(board, shard.engine), {"board": board, "limit": limit})
    return Top([Place(score, id_bytes) for score, id_bytes, _ in rows], players=rows[0][2] if rows else 0)


@cache
def select_nearby(board: Board, engine: Engine, *, own_shard: bool) -> str:
    """Rows (score, user_id, NULL): the place of a player of this shard or another, and its nearest before and after.
    Then rows (score, NULL, players) as `Nearby.score_counts` has them; `players` is NULL where there are none.

    Each half of a UNION ALL is one range of an index, in its order, and is read no further than the LIMIT; a condition
    with OR would scan the index. PostgreSQL needs a LIMIT in each half: it would read and sort all players, in 300 ms
    for a million. SQLite needs none, and would take 10 us more.
    """
    score = SCORE_COLUMNS[board]
    own_score = "(SELECT score FROM place)" if own_shard else ":score"
    own_place = f"place AS (SELECT {score} AS score FROM standings WHERE user_id = :user_id),"  # noqa: S608 - names of ours
    upwards, downwards = "ORDER BY score, user_id DESC LIMIT :before", "ORDER BY score DESC, user_id LIMIT :after"

    def select(condition: str, limit: str) -> str:
        rows = f"SELECT {score} AS score, user_id FROM standings WHERE {score} {condition}"  # noqa: S608 - names of ours
        return f"SELECT * FROM ({rows} {limit}) AS part" if engine is Engine.POSTGRESQL else rows  # noqa: S608 - as above

    return f"""
        WITH {own_place if own_shard else ""}
        near AS (
            SELECT * FROM ({select(f"= {own_score} AND user_id < :user_id", upwards)}
                           UNION ALL
                           {select(f"> {own_score}", upwards)}
                           {upwards}) AS better
            UNION ALL
            SELECT * FROM ({select(f"= {own_score} AND user_id > :user_id", downwards)}
                           UNION ALL
                           {select(f"< {own_score}", downwards)}
                           {downwards}) AS worse
            UNION ALL
            {"SELECT score, :user_id FROM place" if own_shard else "SELECT :score, :user_id"}
        ),
        near_scores AS (SELECT MAX(score) AS best, MIN(score) AS worst FROM near)
        SELECT score, {ID_BYTES[engine]}, NULL FROM near
        UNION ALL
        SELECT score, NULL, players FROM near_scores CROSS JOIN score_counts
        WHERE board = :board AND score BETWEEN worst AND best
        UNION ALL
        SELECT MAX(best) + 1, NULL, SUM(players) FROM near_scores CROSS JOIN score_counts
        WHERE board = :board AND score > best
        UNION ALL
        SELECT MIN(worst) - 1, NULL, SUM(players) FROM near_scores CROSS JOIN score_counts
        WHERE board = :board AND score < worst
        """  # noqa: S608 - names of ours


def rows_to_nearby(rows: Sequence[Record]) -> Nearby:
    """From the rows of `select_nearby`."""
    places = [Place(score, id_bytes) for score, id_bytes, players in rows if players is None and id_bytes is not None]
    counts = {score: players for score, _, players in rows if players is not None}
    return Nearby(places, counts)


async def find_nearby(shard: Database, *, board: Board, place: Place, before: int, after: int) -> Nearby:
    """What a shard has near the place of a player of another shard; one statement, so as of one moment."""
    values = {"board": board, "score": place.score, "user_id": place.user_id, "before": before, "after": after}
    return rows_to_nearby(await shard.fetch_all(select_nearby(board, shard.engine, own_shard=False), values))


async def find_place_and_nearby(
    shard: Database, *, board: Board, user_id: UUID, before: int, after: int
) -> tuple[Place, Nearby] | None:
    """A player's place and what the player's own shard has near it, as of one moment. None before the first game."""
    values = {"board": board, "user_id": user_id, "before": before, "after": after}
    nearby = rows_to_nearby(await shard.fetch_all(select_nearby(board, shard.engine, own_shard=True), values))
    place = next((place for place in nearby.places if place.id_bytes == user_id.bytes), None)
    return None if place is None else (place, nearby)


ANY_USER = "SELECT user_id FROM users LIMIT 1"
ANY_STANDING = "SELECT user_id FROM standings LIMIT 1"


async def check_users(users: Database) -> None:
    """Raises DatabaseUnavailable if the users database does not answer."""
    await users.fetch_one(ANY_USER)


async def check_shard(shard: Database) -> None:
    """Raises DatabaseUnavailable if the shard does not answer."""
    await shard.fetch_one(ANY_STANDING)
