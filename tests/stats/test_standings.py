from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from stats.models import Statistics
from stats.results import Result
from stats.standings import Standing, add_result, count_results, is_win_in_between, summarize, with_win_days
from tests.support.results import count_statistics, finish, results


def describe(standing: Standing | None) -> dict[str, Any]:
    statistics = Statistics.empty() if standing is None else Statistics.of(standing)
    return statistics.model_dump(by_alias=True)


def add_in_order(games: list[Result]) -> list[Standing]:
    """The standing after each game, computed incrementally as the service does."""
    standings: list[Standing] = []
    for number, game in enumerate(games, start=1):
        before = standings[-1] if standings else None
        standing = add_result(before, game)
        if is_win_in_between(before, game):
            standing = with_win_days(standing, {other.day for other in games[:number] if other.won})
        standings.append(standing)
    return standings


@given(results)
def test_incremental_standing_equals_a_full_recount(games: list[Result]) -> None:
    for number, standing in enumerate(add_in_order(games), start=1):
        assert standing == count_results(games[:number])
        assert describe(standing) == count_statistics(games[:number])


def assert_standing(games: list[Result], **expected: object) -> None:
    standing = add_in_order(games)[-1]
    assert standing == count_results(games)
    found = {field.name: getattr(standing, field.name) for field in fields(standing)} | summarize(standing)._asdict()
    assert {name: found[name] for name in expected} == expected


def test_two_wins_on_one_day_count_as_one_win_day() -> None:
    assert_standing([finish(1), finish(1, "18:00:00"), finish(2), finish(2), finish(3)], max_streak=3, current_streak=3)


def test_streaks_depend_on_the_date_not_the_time_of_day() -> None:
    assert_standing([finish(1, "23:59:59"), finish(2, "00:00:00")], max_streak=2)
    assert_standing([finish(1, "00:00:00"), finish(2, "23:59:59")], max_streak=2)
    assert_standing([finish(1, "00:00:00"), finish(1, "23:59:59")], max_streak=1)
    assert_standing([finish(1, "23:59:59"), finish(3, "00:00:00")], max_streak=1)


def test_single_win_is_a_streak_of_one() -> None:
    assert_standing([finish(1)], max_streak=1, current_streak=1)


def test_shorter_streak_keeps_the_longest() -> None:
    assert_standing([finish(1), finish(2), finish(3), finish(7)], max_streak=3, current_streak=1)


def test_loss_ends_the_streak_only_on_a_later_day() -> None:
    assert_standing([finish(1), finish(2), finish(3, won=False)], max_streak=2, current_streak=0)
    assert_standing([finish(1), finish(2), finish(2, "23:00:00", won=False)], max_streak=2, current_streak=2)
    assert_standing([finish(2, "01:00:00", won=False), finish(1), finish(2)], max_streak=2, current_streak=2)


def test_win_after_a_day_without_a_game_starts_a_new_streak() -> None:
    assert_standing([finish(1), finish(2)], current_streak=2)
    assert_standing([finish(1), finish(2), finish(4)], current_streak=1)


def test_win_between_two_runs_joins_them() -> None:
    assert_standing([finish(1), finish(2), finish(4), finish(5), finish(3)], max_streak=5, current_streak=5)


def test_backdated_win_extends_only_the_earlier_run() -> None:
    assert_standing([finish(2), finish(3), finish(9), finish(1)], max_streak=3, current_streak=1)


def test_backdated_loss_changes_no_streak() -> None:
    assert_standing([finish(5), finish(6), finish(1, won=False)], max_streak=2, current_streak=2, lost=1)


def test_player_without_a_win_has_zero_average_and_no_streak() -> None:
    lost = finish(1, won=False, guesses=6)
    assert_standing([lost, lost], average_guesses=0, win_percentage=0, max_streak=0, current_streak=0, last_run=None)


def test_average_guesses_rounds_half_up_and_ignores_losses() -> None:
    assert_standing([finish(1, guesses=2), finish(2, guesses=3)], average_guesses=3)  # 2.5: Python's round says 2
    assert_standing([finish(1, guesses=2), finish(2, guesses=6, won=False)], average_guesses=2)


@pytest.mark.parametrize(
    ("won", "played", "percentage"), [(1, 8, 13), (1, 3, 33), (2, 3, 67), (1, 200, 1), (199, 200, 100)]
)
def test_win_percentage_rounds_half_up(won: int, played: int, percentage: int) -> None:
    """12.5, 0.5 and 99.5 are rounded up."""
    games = [finish(number, won=number < won) for number in range(played)]
    assert summarize(count_results(games)).win_percentage == percentage


def test_histogram_counts_won_games_only() -> None:
    assert_standing(
        [finish(1, guesses=6), finish(2, guesses=6, won=False)], won_in=(0, 0, 0, 0, 0, 1), lost=1, played=2, won=1
    )


def test_only_a_win_before_the_last_win_day_needs_a_recount() -> None:
    standing = count_results([finish(3), finish(5, won=False)])
    assert not is_win_in_between(None, finish(1))
    assert not is_win_in_between(count_results([finish(3, won=False)]), finish(1))
    assert not is_win_in_between(standing, finish(2, won=False))
    assert not is_win_in_between(standing, finish(3))
    assert not is_win_in_between(standing, finish(4))
    assert is_win_in_between(standing, finish(2))


def test_standing_of_no_games_is_an_error() -> None:
    with pytest.raises(ValueError, match="no standing"):
        count_results([])


def test_first_and_last_calendar_days_are_supported() -> None:
    for year, month, day in ((1, 1, 1), (9999, 12, 31)):
        game = Result(finished=datetime(year, month, day, tzinfo=UTC), guesses=1, won=True)
        assert_standing([game, game, finish(1)], won=3, max_streak=1)
