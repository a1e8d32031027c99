import random
from collections import Counter
from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from games.schedule import MIN_GAP_DAYS, draw_round, round_of

WORDS = [f"word{number}" for number in range(200)]


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same in every run


def list_repeats(answers: Sequence[str], gap: int) -> list[int]:
    """Where a word comes again within so many games."""
    return [index for index, word in enumerate(answers) if word in answers[max(0, index - gap) : index]]


@given(st.integers(0, 300), st.randoms(use_true_random=False))
def test_a_round_has_every_candidate_once(count: int, rng: random.Random) -> None:
    candidates = [f"word{number}" for number in range(count)]
    first = draw_round(candidates, [], rng)
    second = draw_round(candidates, first, rng)

    assert sorted(first) == sorted(second) == sorted(candidates)


@given(st.integers(2 * MIN_GAP_DAYS, 200), st.randoms(use_true_random=False))
def test_no_word_comes_again_within_the_gap(count: int, rng: random.Random) -> None:
    first = draw_round(WORDS[:count], [], rng)
    second = draw_round(WORDS[:count], first, rng)

    assert list_repeats(first + second, MIN_GAP_DAYS) == []


def test_the_last_games_before_the_round_are_all_that_counts() -> None:
    first = draw_round(WORDS, [], seeded(1))

    whole = draw_round(WORDS, first, seeded(2))

    assert draw_round(WORDS, first[-MIN_GAP_DAYS:], seeded(2)) == whole


def test_with_few_candidates_the_gap_is_half_their_number() -> None:
    first = draw_round(WORDS[:20], [], seeded(1))

    assert all(list_repeats(first + draw_round(WORDS[:20], first, seeded(seed)), 10) == [] for seed in range(100))


def test_words_that_are_no_candidates_and_words_used_twice_do_no_harm() -> None:
    previous = ["other", WORDS[0], "other", WORDS[0], WORDS[1]]

    drawn = draw_round(WORDS, previous, seeded(1))

    assert sorted(drawn) == sorted(WORDS)
    assert list_repeats([*previous[3:], *drawn], MIN_GAP_DAYS) == []


def test_all_orders_that_keep_the_gap_are_equally_likely() -> None:
    rng = seeded(1)
    previous = ["a", "b", "c", "d"]
    allowed = {order for order in permutations("abcd") if not list_repeats([*previous, *order], 2)}

    drawn = Counter(tuple(draw_round(previous, previous, rng)) for _ in range(1000 * len(allowed)))

    assert drawn.keys() == allowed
    assert all(850 < count < 1150 for count in drawn.values())


def test_a_round_does_not_follow_from_the_list_or_from_the_one_before() -> None:
    rng = random.SystemRandom()
    first = draw_round(WORDS, [], rng)
    second = draw_round(WORDS, first, rng)

    assert len({tuple(WORDS), tuple(first), tuple(second)}) == 3


@pytest.mark.parametrize(
    ("game_id", "games"), [(0, range(10)), (9, range(10)), (10, range(10, 20)), (1234, range(1230, 1240))]
)
def test_a_game_belongs_to_the_round_it_falls_in(game_id: int, games: range) -> None:
    assert round_of(game_id, 10) == games
