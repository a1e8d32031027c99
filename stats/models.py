"""What stats takes and gives."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt
from pydantic.alias_generators import to_camel

from stats.distribution import ResultCounts
from stats.leaderboards import Page
from stats.results import MAX_GUESSES, Result, to_utc_second
from stats.standings import Standing, summarize

EXAMPLE_USER = "5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11"
MAX_GAME_ID = 2**31 - 1


TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?", re.IGNORECASE
)


def require_time(value: object) -> object:
    """Pydantic would also take a bare date, as its midnight, and a number, as seconds since 1970."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and TIME.fullmatch(value)):
        raise ValueError('this should be a date and a time as text, "2022-03-14T19:30:00Z"')
    return value


UserId = UUID
GameId = Annotated[int, Field(ge=0, le=MAX_GAME_ID)]
Guesses = Annotated[StrictInt, Field(ge=1, le=MAX_GUESSES)]
UtcTime = Annotated[datetime, BeforeValidator(require_time), AfterValidator(to_utc_second)]
Count = Annotated[int, Field(ge=0)]


class NewResult(BaseModel):
    """The result of a game that a user has finished."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"game_id": 268, "won": True, "guesses": 4, "finished": "2022-03-14T19:30:00Z"}},
    )

    game_id: Annotated[StrictInt, Field(ge=0, le=MAX_GAME_ID, description="the puzzle's number: days since 2021-06-19")]
    won: StrictBool = Field(description="whether the word was found")
    guesses: Guesses = Field(description="how many guesses were made, 1-6, for a loss too")
    finished: UtcTime | None = Field(
        default=None,
        description="when the game was finished, to the second; without a time zone it is UTC, left out it is now, "
        "and it may be at most a minute ahead of now",
    )


class StoredResult(BaseModel):
    """A result as it is stored."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"game_id": 268, "won": True, "guesses": 4, "finished": "2022-03-14T19:30:00Z"}}
    )

    game_id: GameId = Field(description="the puzzle's number: days since 2021-06-19")
    won: bool = Field(description="whether the word was found")
    guesses: int = Field(ge=1, le=MAX_GUESSES, description="how many guesses were made, 1-6, for a loss too")
    finished: datetime = Field(description="UTC, to the second")

    @classmethod
    def of(cls, game_id: int, result: Result) -> Self:
        return cls(game_id=game_id, won=result.won, guesses=result.guesses, finished=result.finished)


class Results(BaseModel):
    """A page of a user's results."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"games": [{"game_id": 268, "won": True, "guesses": 4, "finished": "2022-03-14T19:30:00Z"}]}
        }
    )

    games: list[StoredResult] = Field(description="the latest game first")


class ShardNames(BaseModel):
    """The databases over which the results are distributed."""

    model_config = ConfigDict(json_schema_extra={"example": {"shards": ["games0.db", "games1.db", "games2.db"]}})

    shards: list[str] = Field(description="the shard of a user is number `user_id` modulo their number, from 0")


class GuessCounts(BaseModel):
    """How many games were won in 1 ... 6 guesses, and how many were lost."""

    in_1: Count = Field(serialization_alias="1", description="games won in 1 guess")
    in_2: Count = Field(serialization_alias="2", description="games won in 2 guesses")
    in_3: Count = Field(serialization_alias="3", description="games won in 3 guesses")
    in_4: Count = Field(serialization_alias="4", description="games won in 4 guesses")
    in_5: Count = Field(serialization_alias="5", description="games won in 5 guesses")
    in_6: Count = Field(serialization_alias="6", description="games won in 6 guesses")
    fail: Count = Field(description="games lost")


class Statistics(BaseModel):
    """A user's statistics, in the shape and order of the original game's."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        json_schema_extra={
            "example": {
                "currentStreak": 4,
                "maxStreak": 5,
                "guesses": {"1": 0, "2": 0, "3": 2, "4": 3, "5": 4, "6": 2, "fail": 1},
                "winPercentage": 92,
                "gamesPlayed": 12,
                "gamesWon": 11,
                "averageGuesses": 5,
            }
        },
        validate_by_name=True,
    )

    current_streak: Count = Field(
        description="days in a row with a win, up to the day of the last finished game; 0 if that day has none"
    )
    max_streak: Count = Field(description="the longest run of consecutive days (UTC) with a win")
    guesses: GuessCounts = Field(description="how many games were won in 1 ... 6 guesses, and how many were lost")
    win_percentage: int = Field(ge=0, le=100, description="percent of the games that were won, rounded half up")
    games_played: Count = Field(description="finished games")
    games_won: Count = Field(description="won games")
    average_guesses: int = Field(
        ge=0, le=MAX_GUESSES, description="mean over won games, rounded half up; 0 without one"
    )

    @classmethod
    def of(cls, standing: Standing) -> Self:
        summary = summarize(standing)
        in_1, in_2, in_3, in_4, in_5, in_6 = standing.won_in
        return cls(
            current_streak=summary.current_streak,
            max_streak=standing.max_streak,
            guesses=GuessCounts(in_1=in_1, in_2=in_2, in_3=in_3, in_4=in_4, in_5=in_5, in_6=in_6, fail=standing.lost),
            win_percentage=summary.win_percentage,
            games_played=summary.played,
            games_won=summary.won,
            average_guesses=summary.average_guesses,
        )

    @classmethod
    def empty(cls) -> Self:
        """Before the first game."""
        return cls(
            current_streak=0,
            max_streak=0,
            guesses=GuessCounts(in_1=0, in_2=0, in_3=0, in_4=0, in_5=0, in_6=0, fail=0),
            win_percentage=0,
            games_played=0,
            games_won=0,
            average_guesses=0,
        )


PlayersOnBoard = Annotated[
    Count,
    Field(description="how many players are on the board: every one who has finished a game, won or lost"),
]


class Distribution(BaseModel):
    """How a puzzle went."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "game_id": 268,
                "guesses": {"1": 0, "2": 7, "3": 31, "4": 52, "5": 38, "6": 19, "fail": 6},
                "played": 153,
                "won": 147,
            }
        }
    )

    game_id: int = Field(ge=0, description="the puzzle's number: days since 2021-06-19")
    guesses: GuessCounts = Field(description="how many players won it in 1 ... 6 guesses, and how many lost it")
    played: Count = Field(description="players who have finished it")
    won: Count = Field(description="players who have won it")

    @classmethod
    def of(cls, game_id: int, found: ResultCounts) -> Self:
        in_1, in_2, in_3, in_4, in_5, in_6 = found.won_in
        return cls(
            game_id=game_id,
            guesses=GuessCounts(in_1=in_1, in_2=in_2, in_3=in_3, in_4=in_4, in_5=in_5, in_6=in_6, fail=found.lost),
            played=found.played,
            won=found.won,
        )


class Leader(BaseModel):
    """A user's row of a leaderboard."""

    rank: int = Field(
        ge=1, description="one more than the number of users with a better score: equal scores share a rank"
    )
    user_id: UserId = Field(description="the user's id")
    username: str | None = Field(
        description="the user's name, `deleted player ID` after the end of the account; null if the users service no"
        " longer knows the user",
    )


class WinsLeader(Leader):
    """A user's row of the leaderboard by wins."""

    wins: Count = Field(description="won games")


class StreakLeader(Leader):
    """A user's row of the leaderboard by longest streak."""

    streak: Count = Field(description="days of the longest run of consecutive days (UTC) with a win")


def list_rows(page: Page, usernames: Mapping[bytes, str], score: str) -> list[dict[str, object]]:
    """The fields of a leaderboard's rows; Pydantic makes the UUIDs from their bytes, faster than Python code does."""
    return [
        {"rank": rank, "user_id": place.id_bytes, "username": usernames.get(place.id_bytes), score: place.score}
        for rank, place in page.rows
    ]


class WinsLeaders(BaseModel):
    """A page of the leaderboard by wins."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "leaders": [{"rank": 1, "user_id": EXAMPLE_USER, "username": "ada", "wins": 40}],
                "players": 100_000,
            }
        }
    )

    leaders: list[WinsLeader] = Field(description="most wins first, then the smaller user_id")
    players: PlayersOnBoard

    @classmethod
    def of(cls, page: Page, usernames: Mapping[bytes, str]) -> Self:
        return cls.model_validate({"leaders": list_rows(page, usernames, "wins"), "players": page.players})


class StreakLeaders(BaseModel):
    """A page of the leaderboard by longest streak."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "leaders": [{"rank": 1, "user_id": EXAMPLE_USER, "username": "ada", "streak": 40}],
                "players": 100_000,
            }
        }
    )

    leaders: list[StreakLeader] = Field(description="longest streak first, then the smaller user_id")
    players: PlayersOnBoard

    @classmethod
    def of(cls, page: Page, usernames: Mapping[bytes, str]) -> Self:
        return cls.model_validate({"leaders": list_rows(page, usernames, "streak"), "players": page.players})
