"""All SQL of stats. A function takes a database to read, or the connection of a transaction to write."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, cast
from uuid import UUID

from databases import Database

from servicekit.databases import Readable
from servicekit.sessions import Session
from servicekit.statements import Statement
from stats.leaderboards import Board, Nearby, Place
from stats.results import Result
from stats.standings import Standing
from stats.streaks import Run

USERS_SCHEMA_VERSION = 1
SHARD_SCHEMA_VERSION = 2
"""`PRAGMA user_version` of share/users.sql and share/games.sql, whose tables these statements expect."""

USER_EXISTS = Statement("SELECT 1 FROM users WHERE user_id = :user_id")


async def user_exists(users: Database, *, user_id: UUID) -> bool:
    return await users.fetch_one(USER_EXISTS, {"user_id": user_id}) is not None


@cache
def select_usernames(count: int) -> Statement:
    """Names of `count` users at once: one statement for each count, 1-100, instead of a query a name."""
    names = ", ".join(f":id{number}" for number in range(count))
    # CAST: what is only looked up by need not become a UUID
    return Statement(f"SELECT CAST(user_id AS BLOB), username FROM users WHERE user_id IN ({names})")  # noqa: S608 - names of ours


async def find_usernames(users: Database, *, user_ids: Sequence[bytes]) -> dict[bytes, str]:
    """The names of those that exist, by the 16 bytes of their ids."""
    if not user_ids:
        return {}
    values = {f"id{number}": user_id for number, user_id in enumerate(user_ids)}
    return dict(await users.fetch_all(select_usernames(len(user_ids)), values))  # type: ignore[arg-type]  # rows of two


SELECT_RESULT = Statement("SELECT finished, guesses, won FROM games WHERE user_id = :user_id AND game_id = :game_id")


async def find_result(shard: Readable, *, user_id: UUID, game_id: int) -> Result | None:
    row = await shard.fetch_one(SELECT_RESULT, {"user_id": user_id, "game_id": game_id})
    if row is None:
        return None
    return Result(finished=row["finished"], guesses=row["guesses"], won=row["won"])


INSERT_RESULT = Statement(
    "INSERT INTO games (user_id, game_id, finished, guesses, won)"
    " VALUES (:user_id, :game_id, :finished, :guesses, :won)"
    " ON CONFLICT (user_id, game_id) DO NOTHING RETURNING game_id"
)


async def insert_result(shard: Session, *, user_id: UUID, game_id: int, result: Result) -> bool:
    """False, and nothing changes, if the game has a result already."""
    values = {
        "user_id": user_id,
        "game_id": game_id,
        "finished": result.finished,
        "guesses": result.guesses,
        "won": result.won,
    }
    return await shard.fetch_one(INSERT_RESULT, values) is not None


SELECT_WIN_DAYS = Statement("SELECT DISTINCT date(finished) AS day FROM games WHERE user_id = :user_id AND won")


async def find_win_days(shard: Readable, *, user_id: UUID) -> list[date]:
    """Reads all games of one user: needed only where a win comes in between earlier ones."""
    rows = await shard.fetch_all(SELECT_WIN_DAYS, {"user_id": user_id})
    return [date.fromisoformat(row["day"]) for row in rows]


SELECT_STANDING = Statement(
    "SELECT won_in_1, won_in_2, won_in_3, won_in_4, won_in_5, won_in_6,"
    " lost, max_streak, last_run, last_win_day, last_day"
    " FROM standings WHERE user_id = :user_id"
)


async def find_standing(shard: Readable, *, user_id: UUID) -> Standing | None:
    """None before the user's first game."""
    row = await shard.fetch_one(SELECT_STANDING, {"user_id": user_id})
    return None if row is None else read_standing(cast(Sequence[Any], row))


def read_standing(columns: Sequence[Any]) -> Standing:
    """From the columns of SELECT_STANDING, in its order."""
    *won_in, lost, max_streak, last_run, last_win_day, last_day = columns
    return Standing(
        won_in=tuple(won_in),
        lost=lost,
        max_streak=max_streak,
        last_run=None if last_win_day is None else Run(last_run, last_win_day),
        last_day=last_day,
    )


UPSERT_STANDING = Statement(
    "INSERT INTO standings (user_id, played, won, won_in_1, won_in_2, won_in_3, won_in_4, won_in_5, won_in_6,"
    " lost, max_streak, last_run, last_win_day, last_day)"
    " VALUES (:user_id, :played, :won, :won_in_1, :won_in_2, :won_in_3, :won_in_4, :won_in_5, :won_in_6,"
    " :lost, :max_streak, :last_run, :last_win_day, :last_day)"
    " ON CONFLICT (user_id) DO UPDATE SET played = excluded.played, won = excluded.won,"
    " won_in_1 = excluded.won_in_1, won_in_2 = excluded.won_in_2, won_in_3 = excluded.won_in_3,"
    " won_in_4 = excluded.won_in_4, won_in_5 = excluded.won_in_5, won_in_6 = excluded.won_in_6,"
    " lost = excluded.lost, max_streak = excluded.max_streak, last_run = excluded.last_run,"
    " last_win_day = excluded.last_win_day, last_day = excluded.last_day"
)


def write_standing(user_id: UUID, standing: Standing) -> dict[str, object]:
    """The values of UPSERT_STANDING."""
    won_in = {f"won_in_{number}": games for number, games in enumerate(standing.won_in, start=1)}
    run = standing.last_run
    return won_in | {
        "user_id": user_id,
        "played": standing.played,
        "won": standing.won,
        "lost": standing.lost,
        "max_streak": standing.max_streak,
        "last_run": run.length if run else 0,
        "last_win_day": run.last_day if run else None,
        "last_day": standing.last_day,
    }


async def upsert_standing(shard: Session, *, user_id: UUID, standing: Standing) -> None:
    await shard.execute(UPSERT_STANDING, write_standing(user_id, standing))


SELECT_PLACE = Statement(
    "SELECT CASE :board WHEN 'wins' THEN wins_place ELSE streaks_place END FROM standings WHERE user_id = :user_id"
)


async def find_place(shard: Database, *, board: Board, user_id: UUID) -> Place | None:
    """None before the user's first game."""
    place = await shard.fetch_val(SELECT_PLACE, {"board": board, "user_id": user_id})
    return None if place is None else Place(place)


SELECT_TOP = Statement("SELECT place FROM places WHERE board = :board ORDER BY place LIMIT :limit")


async def find_top(shard: Database, *, board: Board, limit: int) -> list[Place]:
    """In order, best first."""
    rows = await shard.fetch_all(SELECT_TOP, {"board": board, "limit": limit})
    return [Place(row["place"]) for row in rows]


# Those ahead are the players of the buckets before the one that the place is in, and what comes before it in there: to
# count all their places would take milliseconds.
SELECT_NEARBY = Statement(
    "SELECT NULL AS place, (SELECT COALESCE(SUM(players), 0) FROM buckets WHERE board = :board AND start < bucket)"
    " + (SELECT COUNT(*) FROM places WHERE board = :board AND place >= bucket AND place < :place) AS ahead"
    " FROM (SELECT MAX(start) AS bucket FROM buckets WHERE board = :board AND start <= :place)"
    " UNION ALL SELECT * FROM (SELECT place, NULL FROM places"
    " WHERE board = :board AND place < :place ORDER BY place DESC LIMIT :before)"
    " UNION ALL SELECT * FROM (SELECT place, NULL FROM places"
    " WHERE board = :board AND place > :place ORDER BY place LIMIT :after)"
)


async def find_nearby(shard: Database, *, board: Board, place: Place, before: int, after: int) -> Nearby:
    """The nearest places before and after one that need not be in this shard, and how many are before it in all.

    One statement, so that all of it is as of one moment.
    """
    values = {"board": board, "place": place, "before": before, "after": after}
    rows = await shard.fetch_all(SELECT_NEARBY, values)
    return Nearby(
        ahead=sum(row["ahead"] for row in rows if row["place"] is None),
        places=[Place(row["place"]) for row in rows if row["place"] is not None],
    )


ANY_USER = Statement("SELECT user_id FROM users LIMIT 1")
ANY_STANDING = Statement("SELECT user_id FROM standings LIMIT 1")


async def check_users(users: Database) -> None:
    """Raises DatabaseUnavailable if the users database does not answer."""
    await users.fetch_one(ANY_USER)


async def check_shard(shard: Database) -> None:
    """Raises DatabaseUnavailable if the shard does not answer."""
    await shard.fetch_one(ANY_STANDING)
