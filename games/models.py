"""What games takes and gives."""

import datetime
from collections.abc import Iterable
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr
from pydantic.config import JsonDict

from games.rules.colours import LetterState, colour_guess
from games.rules.plays import MAX_GUESSES, Play, PlayStatus, keyboard_of
from games.rules.puzzles import day_of, end_of
from games.rules.spelling import LETTERS, to_word
from games.statistics import Distribution, Statistics
from servicekit.http.parameters import DIGITS_ONLY

UserId = UUID
GameId = Annotated[int, Field(ge=0)]
GameIdParameter = Annotated[GameId, DIGITS_ONLY]
Word = Annotated[StrictStr, AfterValidator(to_word), Field(json_schema_extra={"pattern": "^[A-Za-z]{5}$"})]


class Game(BaseModel):
    """A puzzle, with its answer once plays of it are closed."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "game_id": 268,
                "date": "2022-03-14",
                "ends_at": "2022-03-15T00:00:00Z",
                "letters": 5,
                "guesses": 6,
                "answer": "hello",
            }
        }
    )

    game_id: GameId = Field(description="the puzzle's number: days since 2021-06-19")
    date: datetime.date = Field(description="the UTC day whose puzzle it is")
    ends_at: datetime.datetime = Field(
        description="when the next puzzle begins; a play of this one may be finished a day longer"
    )
    letters: int = Field(description="how many letters the answer has")
    guesses: int = Field(description="how many guesses a player has")
    answer: str | None = Field(description="five letters a-z; null as long as plays of it are open")

    @classmethod
    def of(cls, game_id: int, *, answer: str | None = None) -> Self:
        return cls(
            game_id=game_id,
            date=day_of(game_id),
            ends_at=end_of(game_id),
            letters=LETTERS,
            guesses=MAX_GUESSES,
            answer=answer,
        )


class Guess(BaseModel):
    """A word that is held against the answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"guess": "crane"}})

    guess: Word = Field(description="five letters a-z; upper case is taken as lower")


class Letter(BaseModel):
    """One letter of a guess."""

    letter: str = Field(description="a-z", pattern="^[a-z]$")
    state: LetterState = Field(
        description="`correct`: in its place; `present`: elsewhere in the answer; `absent`: not in it, or used up"
    )


def to_letters(guess: str, states: Iterable[LetterState]) -> list[Letter]:
    return [Letter(letter=letter, state=state) for letter, state in zip(guess, states, strict=True)]


class CheckedGuess(BaseModel):
    """A guess, coloured."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "guess": "doped",
                "correct": False,
                "letters": [
                    {"letter": "d", "state": "absent"},
                    {"letter": "o", "state": "absent"},
                    {"letter": "p", "state": "absent"},
                    {"letter": "e", "state": "present"},
                    {"letter": "d", "state": "correct"},
                ],
            }
        }
    )

    guess: str = Field(description="the guess in lower case", pattern="^[a-z]{5}$")
    correct: bool = Field(description="whether it is the answer")
    letters: list[Letter] = Field(description="its letters from the left", min_length=LETTERS, max_length=LETTERS)

    @classmethod
    def of(cls, guess: str, answer: str) -> Self:
        return cls(guess=guess, correct=guess == answer, letters=to_letters(guess, colour_guess(guess, answer)))


class NewPlay(BaseModel):
    """How a player wants to play."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"example": {"hard": False}})

    hard: StrictBool = Field(default=False, description="whether every hint must be used in every later guess")


class NewGuess(BaseModel):
    """A player's guess."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"attempt": 1, "guess": "crane"}})

    attempt: StrictInt = Field(
        ge=1, le=MAX_GUESSES, description="which guess it is, 1-6: the same one may safely be sent again"
    )
    guess: Word = Field(description="five letters a-z, a candidate or in the dictionary; upper case is taken as lower")


class ColouredGuess(BaseModel):
    """A guess of a play."""

    guess: str = Field(description="the guess in lower case", pattern="^[a-z]{5}$")
    letters: list[Letter] = Field(description="its letters from the left", min_length=LETTERS, max_length=LETTERS)


EXAMPLE_PLAY: JsonDict = {
    "game_id": 268,
    "user_id": "5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11",
    "status": "won",
    "hard": False,
    "remaining": 0,
    "guesses": [
        {
            "guess": guess,
            "letters": [letter.model_dump(mode="json") for letter in to_letters(guess, colour_guess(guess, "crane"))],
        }
        for guess in ("raise", "crane")
    ],
    "keyboard": {
        "a": "correct",
        "c": "correct",
        "e": "correct",
        "i": "absent",
        "n": "correct",
        "r": "correct",
        "s": "absent",
    },
    "answer": "crane",
    "statistics": {
        "currentStreak": 4,
        "maxStreak": 5,
        "guesses": {"1": 0, "2": 1, "3": 2, "4": 3, "5": 4, "6": 2, "fail": 1},
        "winPercentage": 92,
        "gamesPlayed": 13,
        "gamesWon": 12,
        "averageGuesses": 4,
    },
    "distribution": {
        "game_id": 268,
        "guesses": {"1": 0, "2": 7, "3": 31, "4": 52, "5": 38, "6": 19, "fail": 6},
        "played": 153,
        "won": 147,
    },
    "result_refused": None,
}


class PlayState(BaseModel):
    """One player's play of one puzzle."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_PLAY})

    game_id: GameId = Field(description="the puzzle's number: days since 2021-06-19")
    user_id: UserId = Field(description="the player's id")
    status: PlayStatus = Field(
        description="`new`: without a guess, whether or not it was begun; `in-progress`; `won`; `lost`"
    )
    hard: bool = Field(description="whether every hint must be used in every later guess")
    remaining: int = Field(ge=0, le=MAX_GUESSES, description="how many guesses the player still has")
    guesses: list[ColouredGuess] = Field(description="in the order in which they were made", max_length=MAX_GUESSES)
    keyboard: dict[str, LetterState] = Field(description="the best that is known of each letter that was guessed")
    answer: str | None = Field(description="five letters a-z; null as long as the play is not over")
    statistics: Statistics | None = Field(
        description="in the answer to the last guess: the player's statistics as `GET /api/stats/users/{user_id}` gives"
        " them, this game included, if stats gave them within a second; else null"
    )
    distribution: Distribution | None = Field(
        description="in the answer to the last guess: how the puzzle went so far as `GET /api/stats/games/{game_id}`"
        " gives it, if stats gave it within a second; else null. This play is included, unless its result was refused"
    )
    result_refused: str | None = Field(
        description="why stats has refused this play's result for good, which then does not count; null otherwise"
    )

    @classmethod
    def of(
        cls,
        *,
        game_id: int,
        user_id: UUID,
        play: Play,
        result_refused: str | None = None,
        statistics: Statistics | None = None,
        distribution: Distribution | None = None,
    ) -> Self:
        coloured = play.colours()
        return cls(
            game_id=game_id,
            user_id=user_id,
            status=play.status,
            hard=play.hard,
            remaining=play.remaining,
            guesses=[ColouredGuess(guess=guess, letters=to_letters(guess, states)) for guess, states in coloured],
            keyboard=keyboard_of(coloured),
            answer=play.answer if play.is_over else None,
            statistics=statistics,
            distribution=distribution,
            result_refused=result_refused,
        )


class NewAnswer(BaseModel):
    """The answer of a coming puzzle."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"answer": "crane"}})

    answer: Word = Field(description="five letters a-z, a candidate or in the dictionary; upper case is taken as lower")
