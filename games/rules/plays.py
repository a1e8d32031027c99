"""One player's play of one puzzle: its state, and which guess may come next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from games.problems import AttemptSkipped, AttemptTaken, HintUnused, NotToday, PlayClosed, PlayOver
from games.rules.colours import LetterState, colour_guess
from games.rules.hardmode import find_unused_hint
from games.rules.puzzles import finish_time, game_id_of, is_closed

MAX_GUESSES = 6


class PlayStatus(StrEnum):
    """The state of a play."""

    NEW = "new"
    """Without a guess, begun or not."""
    IN_PROGRESS = "in-progress"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Play:
    hard: bool
    guesses: tuple[str, ...]
    """In the order of the attempts, 0-6."""
    answer: str

    @property
    def status(self) -> PlayStatus:
        if self.answer in self.guesses:
            return PlayStatus.WON
        if len(self.guesses) == MAX_GUESSES:
            return PlayStatus.LOST
        return PlayStatus.IN_PROGRESS if self.guesses else PlayStatus.NEW

    @property
    def is_over(self) -> bool:
        return self.status in {PlayStatus.WON, PlayStatus.LOST}

    @property
    def remaining(self) -> int:
        """Guesses that the player still has."""
        return 0 if self.is_over else MAX_GUESSES - len(self.guesses)

    def colours(self) -> list[tuple[str, list[LetterState]]]:
        """Each guess with the states of its letters."""
        return [(guess, colour_guess(guess, self.answer)) for guess in self.guesses]

    def after(self, attempt: int) -> Self:
        """The play as it was after an attempt."""
        return replace(self, guesses=self.guesses[:attempt])


def keyboard_of(coloured: Iterable[tuple[str, Sequence[LetterState]]]) -> dict[str, LetterState]:
    """The best that is known of each letter that was guessed, in alphabetical order, from `Play.colours`."""
    order = [LetterState.ABSENT, LetterState.PRESENT, LetterState.CORRECT]
    known: dict[str, LetterState] = {}
    for guess, states in coloured:
        for letter, state in zip(guess, states, strict=True):
            known[letter] = max(known.get(letter, state), state, key=order.index)
    return dict(sorted(known.items()))


@dataclass(frozen=True, slots=True)
class PlayResult:
    """The result of a finished play, as stats stores it."""

    user_id: UUID
    game_id: int
    won: bool
    guesses: int
    """1-6, for a loss 6."""
    finished: datetime
    """UTC, to the second; on the puzzle's own day."""

    @classmethod
    def of(cls, play: Play, user_id: UUID, game_id: int, now: datetime) -> Self:
        """Of a play that ends now."""
        return cls(
            user_id=user_id,
            game_id=game_id,
            won=play.status is PlayStatus.WON,
            guesses=len(play.guesses),
            finished=finish_time(game_id, now),
        )


def is_repeat(play: Play, attempt: int, guess: str) -> bool:
    """Whether this very guess was this attempt already: a client that got no answer sends it again."""
    return attempt <= len(play.guesses) and play.guesses[attempt - 1] == guess


def require_next_guess(play: Play, *, game_id: int, attempt: int, guess: str, now: datetime) -> None:
    """Raises PlayOver, PlayClosed, AttemptTaken or AttemptSkipped if this is not the attempt that comes next, and
    HintUnused if hard mode does not allow the guess.

    Whether it is a word is not looked at.
    """
    if play.is_over:
        raise PlayOver(f"This play is over: it is {play.status}.")
    if is_closed(game_id, now.date()):
        raise PlayClosed(f"Game {game_id} is closed: a play may be finished until the end of the day after its own.")
    following = len(play.guesses) + 1
    if attempt < following:
        raise AttemptTaken(f"Attempt {attempt} was another guess; attempt {following} comes next.")
    if attempt > following:
        raise AttemptSkipped(f"Attempt {following} comes next, not {attempt}.")
    if play.hard and (hint := find_unused_hint(play.colours(), guess)):
        raise HintUnused("body.guess", f"in hard mode {hint}")


def require_today(game_id: int, today: date) -> None:
    """Raises NotToday if a play of this game may not be begun: only today's may."""
    if game_id != game_id_of(today):
        raise NotToday(
            f"Game {game_id} was never begun, and is not today's: only game {game_id_of(today)} can be begun."
        )
