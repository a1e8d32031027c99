"""The grid that players share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from games.rules.plays import Play
from games.rules.share_grid import EXAMPLE_GRID, draw_grid

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
def test_grid_has_game_id_score_and_one_row_per_guess(guesses: tuple[str, ...], hard: bool, expected: str) -> None:
    assert draw_grid(268, Play(hard=hard, guesses=guesses, answer="ahead")) == expected


@given(st.lists(st.sampled_from(LOSS), min_size=6, max_size=6))
def test_grid_reveals_no_letter(guesses: list[str]) -> None:
    grid = draw_grid(268, Play(hard=True, guesses=tuple(guesses), answer="ahead"))
    assert set(grid.removeprefix("Quintet 268 X/6*")) <= set("\n🟩🟨⬛")
