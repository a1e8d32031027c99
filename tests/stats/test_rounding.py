from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.rounding import divide_half_up


@pytest.mark.parametrize(
    ("dividend", "divisor", "quotient"),
    [(5, 2, 3), (7, 2, 4), (1, 2, 1), (3, 2, 2), (100, 3, 33), (200, 3, 67), (0, 5, 0), (1, 3, 0), (6, 1, 6)],
)
def test_halves_are_rounded_up_not_to_even(dividend: int, divisor: int, quotient: int) -> None:
    assert divide_half_up(dividend, divisor) == quotient


@pytest.mark.parametrize("dividend", [0, 1, 100])
def test_division_by_zero_is_zero(dividend: int) -> None:
    assert divide_half_up(dividend, 0) == 0


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_rounding_matches_decimal_round_half_up(dividend: int, divisor: int) -> None:
    expected = (Decimal(dividend) / divisor).quantize(Decimal(1), ROUND_HALF_UP)
    assert divide_half_up(dividend, divisor) == expected
