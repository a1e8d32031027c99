"""One player's play: its state, and which guess may come next."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from games.colours import LetterState
from games.plays import Play, PlayResult, Status, is_repeat, require_next_guess, require_today
from servicekit.problems import Conflict, Invalid, Problem

WRONG = ("crane", "abbey", "daddy", "eerie", "geese", "zebra")
GAME = 1983
DAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def play_of(*guesses: str, hard: bool = False, answer: str = "ahead") -> Play:
    return Play(hard=hard, guesses=guesses, answer=answer)


def refuse(play: Play, attempt: int, guess: str, *, now: datetime = NOON) -> Problem:
    with pytest.raises(Problem) as refusal:
        require_next_guess(play, game_id=GAME, attempt=attempt, guess=guess, now=now)
    return refusal.value


@pytest.mark.parametrize(
    ("guesses", "status", "remaining"),
    [
        ((), Status.NEW, 6),
        (WRONG[:1], Status.IN_PROGRESS, 5),
        (WRONG[:5], Status.IN_PROGRESS, 1),
        (("ahead",), Status.WON, 0),
        ((*WRONG[:5], "ahead"), Status.WON, 0),
        (WRONG, Status.LOST, 0),
    ],
)
def test_the_status_follows_from_the_guesses(guesses: tuple[str, ...], status: Status, remaining: int) -> None:
    play = play_of(*guesses)
    assert (play.status, play.remaining) == (status, remaining)
    assert play.is_over == (remaining == 0)


def test_the_keyboard_shows_the_best_that_is_known_of_each_letter() -> None:
    assert play_of().keyboard() == {}
    assert list(play_of("crane", "abbey").keyboard().items()) == [
        ("a", LetterState.CORRECT),  # present in crane, in its place in abbey
        ("b", LetterState.ABSENT),
        ("c", LetterState.ABSENT),
        ("e", LetterState.PRESENT),
        ("n", LetterState.ABSENT),
        ("r", LetterState.ABSENT),
        ("y", LetterState.ABSENT),
    ]


def test_a_letter_that_is_used_up_in_one_place_is_still_known_from_the_other() -> None:
    assert play_of("daddy").keyboard()["d"] is LetterState.PRESENT  # the first d; the other two are absent
    assert play_of("daddy", "doped").keyboard()["d"] is LetterState.CORRECT
    assert play_of("doped", "daddy").keyboard()["d"] is LetterState.CORRECT  # what is known is not forgotten


def test_the_play_after_an_attempt_knows_nothing_of_later_ones() -> None:
    play = play_of("crane", "abbey", "ahead")
    assert play.after(2) == play_of("crane", "abbey")
    assert not play.after(2).is_over
    assert play.after(3) == play


def test_a_repeat_is_the_same_guess_for_the_same_attempt() -> None:
    play = play_of("crane", "abbey")
    assert is_repeat(play, 1, "crane")
    assert is_repeat(play, 2, "abbey")
    assert not is_repeat(play, 2, "crane")
    assert not is_repeat(play, 3, "abbey")


def test_the_next_attempt_is_allowed_and_no_other() -> None:
    play = play_of("crane", "abbey")
    require_next_guess(play, game_id=GAME, attempt=3, guess="zebra", now=NOON)
    assert refuse(play, 2, "zebra").detail == "Attempt 2 was another guess; attempt 3 comes next."
    assert refuse(play, 5, "zebra").detail == "Attempt 3 comes next, not 5."
    assert isinstance(refuse(play, 1, "zebra"), Conflict)


def test_after_the_end_nothing_is_allowed() -> None:
    assert refuse(play_of("ahead"), 2, "crane").detail == "This play is over: it is won."
    assert refuse(play_of(*WRONG), 6, "crane").detail == "This play is over: it is lost."


def test_a_play_may_go_on_until_the_end_of_the_day_after_its_own() -> None:
    require_next_guess(
        play_of(), game_id=GAME, attempt=1, guess="crane", now=datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
    )
    refusal = refuse(play_of(), 1, "crane", now=datetime(2026, 11, 25, tzinfo=UTC))
    assert isinstance(refusal, Conflict)
    assert refusal.detail.startswith("Game 1983 is closed")


def test_only_hard_mode_asks_for_the_hints() -> None:
    require_next_guess(play_of("abbey"), game_id=GAME, attempt=2, guess="crane", now=NOON)
    refusal = refuse(play_of("abbey", hard=True), 2, "crane")
    assert isinstance(refusal, Invalid)
    assert refusal.detail == "body.guess: in hard mode the first letter must be a."


def test_only_todays_game_can_be_begun() -> None:
    require_today(GAME, DAY)
    for day in (date(2026, 11, 22), date(2026, 11, 24)):
        with pytest.raises(Conflict):
            require_today(GAME, day)


@pytest.mark.parametrize(("guesses", "won", "count"), [(("crane", "ahead"), True, 2), (WRONG, False, 6)])
def test_the_result_says_how_it_ended_and_when_to_the_second(guesses: tuple[str, ...], won: bool, count: int) -> None:
    now = datetime(2026, 11, 23, 12, 0, 1, 999_999, tzinfo=UTC)
    assert PlayResult.of(play_of(*guesses), UUID(int=7), GAME, now) == PlayResult(
        user_id=UUID(int=7), game_id=GAME, won=won, guesses=count, finished=datetime(2026, 11, 23, 12, 0, 1, tzinfo=UTC)
    )
