"""Sample results, and the expected statistics by a reference implementation."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st

from stats.results import Result
from tests.support.stored import StoredPlayers

FIRST_DAY = date(2022, 2, 24)  # a run of days crosses the end of a month
ONE_DAY = timedelta(days=1)


def finish(day: int, time: str = "12:00:00", *, won: bool = True, guesses: int = 4) -> Result:
    """A result finished this number of days after FIRST_DAY."""
    return Result(
        finished=datetime.fromisoformat(f"{FIRST_DAY + day * ONE_DAY} {time}").replace(tzinfo=UTC),
        guesses=guesses,
        won=won,
    )


results = st.lists(
    st.builds(
        finish,
        st.integers(0, 12),
        st.sampled_from(["00:00:00", "00:00:01", "12:00:00", "23:59:59"]),
        won=st.sampled_from([True, True, True, False]),
        guesses=st.integers(1, 6),
    ),
    max_size=25,
)
"""Lists of results in any order, with repeated days, runs that get joined, and wins and losses on one day."""


@dataclass(frozen=True, slots=True, order=True)
class DayRun:
    """A row of the view `streaks` without the user id."""

    beginning: date
    ending: date
    streak: int


def find_day_runs(games: Iterable[Result]) -> list[DayRun]:
    win_days = {game.finished.date() for game in games if game.won}
    runs = []
    for beginning in win_days:
        if beginning - ONE_DAY not in win_days:
            ending = beginning
            while ending + ONE_DAY in win_days:
                ending += ONE_DAY
            runs.append(DayRun(beginning, ending, (ending - beginning).days + 1))
    return sorted(runs)


def round_half_up(dividend: int, divisor: int) -> int:
    return int((Decimal(dividend) / divisor).quantize(Decimal(1), ROUND_HALF_UP)) if divisor else 0


def count_statistics(games: Collection[Result]) -> dict[str, Any]:
    """The expected body of a user's statistics."""
    runs = find_day_runs(games)
    last_day = max((game.finished.date() for game in games), default=None)
    won = [game for game in games if game.won]
    return {
        "currentStreak": sum(run.streak for run in runs if run.ending == last_day),
        "maxStreak": max((run.streak for run in runs), default=0),
        "guesses": {str(number): sum(game.guesses == number for game in won) for number in range(1, 7)}
        | {"fail": len(games) - len(won)},
        "winPercentage": round_half_up(100 * len(won), len(games)),
        "gamesPlayed": len(games),
        "gamesWon": len(won),
        "averageGuesses": round_half_up(sum(game.guesses for game in won), len(won)),
    }


def count_distribution(game_id: int, games: Collection[Result]) -> dict[str, Any]:
    """The expected body of how a game went, whose results are these."""
    won = [game for game in games if game.won]
    return {
        "game_id": game_id,
        "guesses": {str(number): sum(game.guesses == number for game in won) for number in range(1, 7)}
        | {"fail": len(games) - len(won)},
        "played": len(games),
        "won": len(won),
    }


def add_users(stored: StoredPlayers, user_ids: list[UUID]) -> list[UUID]:
    if user_ids:
        stored.users.run("INSERT INTO users VALUES (?, ?)", *((key, f"player {key}") for key in user_ids))
    return user_ids


def add_user(stored: StoredPlayers, username: str | None = None) -> UUID:
    (user_id,) = add_users(stored, [uuid4()])
    if username is not None:
        stored.users.run("UPDATE users SET username = ? WHERE user_id = ?", (username, user_id))
    return user_id


def write_body(game_id: int, result: Result) -> dict[str, Any]:
    """The body with which a client posts a result."""
    finished = result.finished.isoformat().replace("+00:00", "Z")
    return {"game_id": game_id, "won": result.won, "guesses": result.guesses, "finished": finished}


def read_everything(stored: StoredPlayers) -> list[list[tuple[Any, ...]]]:
    """All rows of games and standings, shard by shard."""
    tables = ("SELECT * FROM games ORDER BY user_id, game_id", "SELECT * FROM standings ORDER BY user_id")
    return [shard.read(query) for shard in stored.shards for query in tables]
