"""What games takes and gives."""

import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr

from games.letters import LetterState, colour_guess
from games.puzzles import day_of
from games.spelling import LETTERS, to_word

MAX_GUESSES = 6

GameId = Annotated[int, Field(ge=0)]
Word = Annotated[StrictStr, AfterValidator(to_word), Field(json_schema_extra={"pattern": "^[A-Za-z]{5}$"})]


class Game(BaseModel):
    """A puzzle, without its answer."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"game_id": 268, "date": "2022-03-14", "letters": 5, "guesses": 6}}
    )

    game_id: GameId = Field(description="the puzzle's number: days since 2021-06-19")
    date: datetime.date = Field(description="the UTC day whose puzzle it is")
    letters: int = Field(default=LETTERS, description="how many letters the answer has")
    guesses: int = Field(default=MAX_GUESSES, description="how many guesses a player has")

    @classmethod
    def of(cls, game_id: int) -> Self:
        return cls(game_id=game_id, date=day_of(game_id))


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
        states = colour_guess(guess, answer)
        return cls(
            guess=guess,
            correct=guess == answer,
            letters=[Letter(letter=letter, state=state) for letter, state in zip(guess, states, strict=True)],
        )


class NewAnswer(BaseModel):
    """The answer of a coming puzzle."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"answer": "crane"}})

    answer: Word = Field(description="five letters a-z, a word of the dictionary; upper case is taken as lower")
