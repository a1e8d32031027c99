"""Taking a guess: what is checked, in which order, and what is stored in one transaction."""

from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from games import queries
from games.play_storage import read_play
from games.problems import NotAWord
from games.resources import GamesResources
from games.rules.plays import Play, PlayResult, is_repeat, require_next_guess
from servicekit.clock import Clock
from servicekit.db.transaction import Transaction


async def may_be_guessed(resources: GamesResources, word: str) -> bool:
    """Every candidate may be guessed even if the dictionary lacks it, so that removing a word there makes no puzzle
    impossible to win. Raises Unavailable if the words service is needed and does not answer."""
    return await queries.is_candidate(resources.answers, word=word) or await resources.words_client.has(word)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A guess that a player wants to make."""

    user_id: UUID
    game_id: int
    number: int
    """1-6."""
    guess: str


async def take_guess(resources: GamesResources, attempt: Attempt, *, answer: str) -> Play:
    """The play as it is after this attempt; a repeated request changes nothing.

    Raises PlayNotBegun, what `require_next_guess` raises, NotAWord for a guess that the dictionary does not allow (the
    answer itself is always allowed), and Unavailable without the words service; none of these uses up an attempt.
    """
    plays, clock = resources.plays, resources.clock
    play = await read_play(plays, user_id=attempt.user_id, game_id=attempt.game_id, answer=answer)
    if is_repeat(play, attempt.number, attempt.guess):
        return play.after(attempt.number)
    require_next_guess(play, game_id=attempt.game_id, attempt=attempt.number, guess=attempt.guess, now=clock())
    if not (attempt.guess == answer or await may_be_guessed(resources, attempt.guess)):
        raise NotAWord("body.guess", "this word is not in the dictionary; no attempt is used")
    return await plays.write(partial(store_guess, attempt=attempt, answer=answer, clock=clock), lock=(attempt.user_id,))


async def store_guess(plays: Transaction, *, attempt: Attempt, answer: str, clock: Clock) -> Play:
    """The transaction of `take_guess`: the guess and, if it ends the play, the result in the outbox.

    The lock of the player is held from before the first query, and everything is checked again: another guess, or the
    end of the next day, may have come while this waited for the lock.
    """
    user_id, game_id, number, guess = attempt.user_id, attempt.game_id, attempt.number, attempt.guess
    now = clock()
    play = await read_play(plays, user_id=user_id, game_id=game_id, answer=answer)
    if is_repeat(play, number, guess):
        return play.after(number)
    require_next_guess(play, game_id=game_id, attempt=number, guess=guess, now=now)
    await queries.insert_guess(plays, user_id=user_id, game_id=game_id, attempt=number, guess=guess)
    play = replace(play, guesses=(*play.guesses, guess))
    if play.is_over:
        await queries.insert_into_outbox(plays, result=PlayResult.of(play, user_id, game_id, now))
    return play
