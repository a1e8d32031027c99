"""The rules of a play: its state, the keyboard, and which guess is allowed next."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from games.rules.colours import LetterState
from games.rules.plays import Play, PlayResult, PlayStatus, is_repeat, keyboard_of, require_next_guess, require_today
from servicekit.problems import Conflict, Invalid, Problem

WRONG = ("crane", "abbey", "daddy", "eerie", "geese", "zebra")
GAME = 1983
DAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def make_play(*guesses: str, hard: bool = False, answer: str = "ahead") -> Play:
    return Play(hard=hard, guesses=guesses, answer=answer)


def get_refusal(play: Play, attempt: int, guess: str, *, now: datetime = NOON) -> Problem:
    with pytest.raises(Problem) as refusal:
        require_next_guess(play, game_id=GAME, attempt=attempt, guess=guess, now=now)
    return refusal.value


@pytest.mark.parametrize(
    ("guesses", "status", "remaining"),
    [
        ((), PlayStatus.NEW, 6),
        (WRONG[:1], PlayStatus.IN_PROGRESS, 5),
        (WRONG[:5], PlayStatus.IN_PROGRESS, 1),
        (("ahead",), PlayStatus.WON, 0),
        ((*WRONG[:5], "ahead"), PlayStatus.WON, 0),
        (WRONG, PlayStatus.LOST, 0),
    ],
)
def test_status_follows_from_the_guesses(guesses: tuple[str, ...], status: PlayStatus, remaining: int) -> None:
    play = make_play(*guesses)
    assert (play.status, play.remaining) == (status, remaining)
    assert play.is_over == (remaining == 0)


def test_keyboard_shows_the_best_known_state_per_letter() -> None:
    assert keyboard_of(make_play().colours()) == {}
    assert list(keyboard_of(make_play("crane", "abbey").colours()).items()) == [
        ("a", LetterState.CORRECT),  # present in crane, correct in abbey
        ("b", LetterState.ABSENT),
        ("c", LetterState.ABSENT),
        ("e", LetterState.PRESENT),
        ("n", LetterState.ABSENT),
        ("r", LetterState.ABSENT),
        ("y", LetterState.ABSENT),
    ]


def test_keyboard_never_downgrades_a_letter() -> None:
    assert (
        keyboard_of(make_play("daddy").colours())["d"] is LetterState.PRESENT
    )  # the first d; the other two are absent
    assert keyboard_of(make_play("daddy", "doped").colours())["d"] is LetterState.CORRECT
    assert (
        keyboard_of(make_play("doped", "daddy").colours())["d"] is LetterState.CORRECT
    )  # not downgraded by the second guess


def test_play_after_an_attempt_has_no_later_guesses() -> None:
    play = make_play("crane", "abbey", "ahead")
    assert play.after(2) == make_play("crane", "abbey")
    assert not play.after(2).is_over
    assert play.after(3) == play


def test_repeat_is_the_same_guess_for_the_same_attempt() -> None:
    play = make_play("crane", "abbey")
    assert is_repeat(play, 1, "crane")
    assert is_repeat(play, 2, "abbey")
    assert not is_repeat(play, 2, "crane")
    assert not is_repeat(play, 3, "abbey")


def test_only_the_next_attempt_is_allowed() -> None:
    play = make_play("crane", "abbey")
    require_next_guess(play, game_id=GAME, attempt=3, guess="zebra", now=NOON)
    assert get_refusal(play, 2, "zebra").detail == "Attempt 2 was another guess; attempt 3 comes next."
    assert get_refusal(play, 5, "zebra").detail == "Attempt 3 comes next, not 5."
    assert isinstance(get_refusal(play, 1, "zebra"), Conflict)


def test_no_guess_is_allowed_after_the_end() -> None:
    assert get_refusal(make_play("ahead"), 2, "crane").detail == "This play is over: it is won."
    assert get_refusal(make_play(*WRONG), 6, "crane").detail == "This play is over: it is lost."


def test_play_closes_at_the_end_of_the_next_day() -> None:
    require_next_guess(
        make_play(), game_id=GAME, attempt=1, guess="crane", now=datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
    )
    refusal = get_refusal(make_play(), 1, "crane", now=datetime(2026, 11, 25, tzinfo=UTC))
    assert isinstance(refusal, Conflict)
    assert refusal.detail.startswith("Game 1983 is closed")


def test_hints_are_required_only_in_hard_mode() -> None:
    require_next_guess(make_play("abbey"), game_id=GAME, attempt=2, guess="crane", now=NOON)
    refusal = get_refusal(make_play("abbey", hard=True), 2, "crane")
    assert isinstance(refusal, Invalid)
    assert refusal.detail == "body.guess: in hard mode the first letter must be a."


def test_only_todays_game_can_be_started() -> None:
    require_today(GAME, DAY)
    for day in (date(2026, 11, 22), date(2026, 11, 24)):
        with pytest.raises(Conflict):
            require_today(GAME, day)


@pytest.mark.parametrize(("guesses", "won", "count"), [(("crane", "ahead"), True, 2), (WRONG, False, 6)])
def test_result_has_outcome_guesses_and_time_to_the_second(guesses: tuple[str, ...], won: bool, count: int) -> None:
    now = datetime(2026, 11, 23, 12, 0, 1, 999_999, tzinfo=UTC)
    assert PlayResult.of(make_play(*guesses), UUID(int=7), GAME, now) == PlayResult(
        user_id=UUID(int=7), game_id=GAME, won=won, guesses=count, finished=datetime(2026, 11, 23, 12, 0, 1, tzinfo=UTC)
    )
