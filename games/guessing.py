"""Taking guesses: what is looked at, in which order, and what is stored at once."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from databases import Database

from games import queries
from games.play_storage import read_play
from games.plays import Play, PlayResult, is_repeat, require_next_guess
from games.words_client import WordsClient
from servicekit.clock import Clock
from servicekit.db.database import write
from servicekit.db.transaction import Transaction
from servicekit.problems import Invalid


async def may_be_guessed(answers: Database, words: WordsClient, word: str) -> bool:
    """Every candidate may be guessed, whatever the dictionary says: a word that is removed there makes no puzzle
    impossible to win. Raises Unavailable if the words service has to be asked and does not answer."""
    return await queries.is_candidate(answers, word=word) or await words.has(word)


@dataclass(frozen=True, slots=True)
class Turn:
    """A guess that a player wants to make."""

    user_id: UUID
    game_id: int
    answer: str
    attempt: int
    guess: str


class Referee:
    """Takes guesses, each once, whoever sends how many at the same instant to however many instances."""

    def __init__(self, plays: Database, answers: Database, words: WordsClient, clock: Clock) -> None:
        self._plays = plays
        self._answers = answers
        self._words = words
        self._clock = clock

    async def take(self, turn: Turn) -> Play:
        """The play as it is after this attempt; a repeat changes nothing.

        If the guess ends the play, its result is put on the way to stats in the same transaction. Raises NotFound if
        the play was never begun, Conflict if this attempt does not come next, Invalid for a guess that hard mode or the
        dictionary does not allow (the puzzle's own answer always is), Unavailable without the words service; none of
        these uses up an attempt.
        """
        play = await read_play(self._plays, user_id=turn.user_id, game_id=turn.game_id, answer=turn.answer)
        if is_repeat(play, turn.attempt, turn.guess):
            return play.after(turn.attempt)
        require_next_guess(play, game_id=turn.game_id, attempt=turn.attempt, guess=turn.guess, now=self._clock())
        if not (turn.guess == turn.answer or await may_be_guessed(self._answers, self._words, turn.guess)):
            raise Invalid("body.guess: this word is not in the dictionary; no attempt is used.")
        return await write(self._plays, partial(self._store, turn=turn))

    async def _store(self, plays: Transaction, *, turn: Turn) -> Play:
        """All over again, under the lock: meanwhile another guess may have come, or the end of the next day."""
        user_id, game_id, attempt, guess = turn.user_id, turn.game_id, turn.attempt, turn.guess
        now = self._clock()
        play = await read_play(plays, user_id=user_id, game_id=game_id, answer=turn.answer)
        if is_repeat(play, attempt, guess):
            return play.after(attempt)
        require_next_guess(play, game_id=game_id, attempt=attempt, guess=guess, now=now)
        await queries.insert_guess(plays, user_id=user_id, game_id=game_id, attempt=attempt, guess=guess)
        play = play.with_guess(guess)
        if play.is_over:
            await queries.insert_result(plays, result=PlayResult.of(play, user_id, game_id, now))
        return play
