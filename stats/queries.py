"""All SQL of stats. A function takes a database to read, or the connection of a transaction to write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, cast
from uuid import UUID

from databases import Database
from databases.core import Connection

from servicekit.databases import Readable
from servicekit.statements import Statement
from stats.results import Result
from stats.standings import Standing
from stats.streaks import Run


@dataclass(frozen=True, slots=True)
class WinsRow:
    user_id: UUID
    won: int
    played: int


@dataclass(frozen=True, slots=True)
class StreakRow:
    user_id: UUID
    max_streak: int
    won: int


USER_EXISTS = Statement("SELECT 1 FROM users WHERE user_id = :user_id")


async def user_exists(users: Database, *, user_id: UUID) -> bool:
    return await users.fetch_one(USER_EXISTS, {"user_id": user_id}) is not None


@cache
def select_usernames(count: int) -> Statement:
    """Names of `count` users at once: one statement for each count, 1-100, instead of a query a name."""
    names = ", ".join(f":id{number}" for number in range(count))
    return Statement(f"SELECT user_id, username FROM users WHERE user_id IN ({names})")  # noqa: S608 - names of ours


async def find_usernames(users: Database, *, user_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The names of those that exist."""
    if not user_ids:
        return {}
    values = {f"id{number}": user_id for number, user_id in enumerate(user_ids)}
    rows = await users.fetch_all(select_usernames(len(user_ids)), values)
    return {row["user_id"]: row["username"] for row in rows}


SELECT_RESULT = Statement("SELECT finished, guesses, won FROM games WHERE user_id = :user_id AND game_id = :game_id")


async def find_result(shard: Readable, *, user_id: UUID, game_id: int) -> Result | None:
    row = await shard.fetch_one(SELECT_RESULT, {"user_id": user_id, "game_id": game_id})
    if row is None:
        return None
    return Result(finished=row["finished"], guesses=row["guesses"], won=row["won"])


INSERT_RESULT = Statement(
    "INSERT INTO games (user_id, game_id, finished, guesses, won)"
    " VALUES (:user_id, :game_id, :finished, :guesses, :won)"
)


async def insert_result(shard: Connection, *, user_id: UUID, game_id: int, result: Result) -> None:
    """The primary key refuses a second result of the same game."""
    await shard.execute(
        INSERT_RESULT,
        {
            "user_id": user_id,
            "game_id": game_id,
            "finished": result.finished,
            "guesses": result.guesses,
            "won": result.won,
        },
    )


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


async def upsert_standing(shard: Connection, *, user_id: UUID, standing: Standing) -> None:
    await shard.execute(UPSERT_STANDING, write_standing(user_id, standing))


SELECT_TOP_WINS = Statement(
    "SELECT user_id, won, played FROM standings ORDER BY won DESC, played, user_id LIMIT :limit"
)


async def find_top_wins(shard: Database, *, limit: int) -> list[WinsRow]:
    """The first rows of the index standings_by_wins."""
    rows = await shard.fetch_all(SELECT_TOP_WINS, {"limit": limit})
    return [WinsRow(row["user_id"], row["won"], row["played"]) for row in rows]


SELECT_TOP_STREAKS = Statement(
    "SELECT user_id, max_streak, won FROM standings ORDER BY max_streak DESC, won DESC, user_id LIMIT :limit"
)


async def find_top_streaks(shard: Database, *, limit: int) -> list[StreakRow]:
    """The first rows of the index standings_by_streak."""
    rows = await shard.fetch_all(SELECT_TOP_STREAKS, {"limit": limit})
    return [StreakRow(row["user_id"], row["max_streak"], row["won"]) for row in rows]


ANY_USER = Statement("SELECT user_id FROM users LIMIT 1")
ANY_STANDING = Statement("SELECT user_id FROM standings LIMIT 1")


async def check_users(users: Database) -> None:
    """Raises DatabaseUnavailable if the users database does not answer."""
    await users.fetch_one(ANY_USER)


async def check_shard(shard: Database) -> None:
    """Raises DatabaseUnavailable if the shard does not answer."""
    await shard.fetch_one(ANY_STANDING)
