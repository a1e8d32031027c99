"""Drawing answers: the window in which no word repeats, and a uniform choice outside it."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from games.rules.schedule import draw_missing, window_days

WORDS = [f"word{number}" for number in range(12)]
seeds = st.integers(0, 2**32)


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same in every run


@pytest.mark.parametrize(("candidates", "days"), [(1, 0), (2, 1), (3, 1), (4, 2), (2002, 1001)])
def test_window_is_half_the_number_of_candidates(candidates: int, days: int) -> None:
    assert window_days(candidates) == days


@given(st.integers(1, 12), st.integers(0, 60), seeds)
def test_no_word_repeats_within_the_window(count: int, last_game: int, seed: int) -> None:
    drawn = draw_missing(WORDS[:count], {}, last_game=last_game, rng=seeded(seed))
    assert list(drawn) == list(range(last_game + 1))
    for game_id, word in drawn.items():
        assert word in WORDS[:count]
        assert word not in [drawn[earlier] for earlier in range(max(0, game_id - count // 2), game_id)]


@given(st.integers(1, 12), st.integers(0, 40), seeds)
def test_every_candidate_outside_the_window_can_be_drawn(count: int, yesterday: int, seed: int) -> None:
    stored = draw_missing(WORDS[:count], {}, last_game=yesterday, rng=seeded(seed))
    possible = {word for word in WORDS[:count] if word not in list(stored.values())[max(0, len(stored) - count // 2) :]}
    drawn = {
        draw_missing(WORDS[:count], stored, last_game=yesterday + 1, rng=seeded(other))[yesterday + 1]
        for other in range(40 * count)
    }
    assert drawn == possible


def test_candidates_outside_the_window_are_equally_likely() -> None:
    stored = draw_missing(WORDS, {}, last_game=30, rng=seeded(1))
    rng = seeded(2)
    counts = Counter(draw_missing(WORDS, stored, last_game=31, rng=rng)[31] for _ in range(6000))
    assert len(counts) == 6
    assert all(850 < count < 1150 for count in counts.values())  # five standard deviations


@given(seeds)
def test_gap_is_drawn_in_calendar_order(seed: int) -> None:
    """Drawing several missing days at once gives the same answers as drawing each on its day."""
    stored = draw_missing(WORDS, {}, last_game=10, rng=seeded(seed))
    at_once = draw_missing(WORDS, stored, last_game=14, rng=seeded(seed + 1))
    rng, by_day = seeded(seed + 1), dict(stored)
    for game_id in range(11, 15):
        by_day |= draw_missing(WORDS, by_day, last_game=game_id, rng=rng)
    assert at_once == {game_id: by_day[game_id] for game_id in range(11, 15)}


@given(seeds, st.sampled_from([*WORDS, "other"]))
def test_answer_set_for_a_later_day_changes_no_draw(seed: int, word: str) -> None:
    stored = draw_missing(WORDS, {}, last_game=10, rng=seeded(seed))
    without = draw_missing(WORDS, stored, last_game=13, rng=seeded(seed + 1))
    with_later = draw_missing(WORDS, stored | {14: word}, last_game=13, rng=seeded(seed + 1))
    assert with_later == without


def test_set_answers_count_for_the_window_of_later_days() -> None:
    stored = {0: WORDS[0], 1: WORDS[1]}
    drawn = draw_missing(WORDS[:4], stored, last_game=2, rng=seeded(3))
    assert list(drawn) == [2]
    assert drawn[2] in WORDS[2:4]


def test_answer_outside_the_candidates_excludes_no_word() -> None:
    drawn = {draw_missing(WORDS[:2], {0: "other"}, last_game=1, rng=seeded(seed))[1] for seed in range(40)}
    assert drawn == set(WORDS[:2])


def test_answer_set_twice_is_excluded_until_its_last_day_leaves_the_window() -> None:
    stored = {0: WORDS[0], 1: WORDS[0]}  # a window of two days
    drawn = [draw_missing(WORDS[:4], stored, last_game=4, rng=seeded(seed)) for seed in range(200)]
    assert {draw[2] for draw in drawn} == {draw[3] for draw in drawn} == set(WORDS[1:4])
    assert WORDS[0] in {draw[4] for draw in drawn}
