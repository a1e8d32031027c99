"""A player's statistics and how a puzzle went, as games takes them from stats and passes them on with a last guess."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from games.rules.plays import MAX_GUESSES

Count = Annotated[int, Field(ge=0)]


class GuessCounts(BaseModel):
    """How many games were won in 1 ... 6 guesses, and how many were lost."""

    in_1: Count = Field(alias="1", description="games won in 1 guess")
    in_2: Count = Field(alias="2", description="games won in 2 guesses")
    in_3: Count = Field(alias="3", description="games won in 3 guesses")
    in_4: Count = Field(alias="4", description="games won in 4 guesses")
    in_5: Count = Field(alias="5", description="games won in 5 guesses")
    in_6: Count = Field(alias="6", description="games won in 6 guesses")
    fail: Count = Field(description="games lost")


class Statistics(BaseModel):
    """The response of `GET /api/stats/users/{user_id}`; a field that stats adds later is ignored."""

    model_config = ConfigDict(alias_generator=to_camel)

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


class Distribution(BaseModel):
    """The response of `GET /api/stats/games/{game_id}`; a field that stats adds later is ignored."""

    game_id: int = Field(ge=0, description="the puzzle's number: days since 2021-06-19")
    guesses: GuessCounts = Field(description="how many players won it in 1 ... 6 guesses, and how many lost it")
    played: Count = Field(description="players who have finished it")
    won: Count = Field(description="players who have won it")
