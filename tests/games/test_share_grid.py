"""The grid that a player shows to others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from games.plays import Play
from games.share_grid import EXAMPLE_GRID, draw_grid

LOSS = ("crane", "abbey", "daddy", "eerie", "geese", "zebra")


@pytest.mark.parametrize(
    ("guesses", "hard", "expected"),
    [
        (("doped", "ahead"), False, EXAMPLE_GRID),
        (("ahead",), True, "Quintet 268 1/6*\n\n🟩🟩🟩🟩🟩\n"),
        (
            LOSS,
            False,
            "Quintet 268 X/6\n\n⬛⬛🟨⬛🟨\n🟩⬛⬛🟨⬛\n🟨🟨⬛⬛⬛\n🟨⬛⬛⬛⬛\n⬛⬛🟩⬛⬛\n⬛🟨⬛⬛🟨\n",
        ),
    ],
)
def test_the_grid_has_number_score_and_a_row_a_guess(guesses: tuple[str, ...], hard: bool, expected: str) -> None:
    assert draw_grid(268, Play(hard=hard, guesses=guesses, answer="ahead")) == expected


@given(st.lists(st.sampled_from(LOSS), min_size=6, max_size=6))
def test_the_grid_has_no_letter_of_any_guess(guesses: list[str]) -> None:
    grid = draw_grid(268, Play(hard=True, guesses=tuple(guesses), answer="ahead"))
    assert set(grid.removeprefix("Quintet 268 X/6*")) <= set("\n🟩🟨⬛")
