"""Shares and means as the original game rounds them: half up, 2.5 to 3, where Python's round gives 2."""


def divide_half_up(dividend: int, divisor: int) -> int:
    """`dividend / divisor` of numbers that are not negative, rounded half up; 0 where nothing is to be divided by."""
    return (2 * dividend + divisor) // (2 * divisor) if divisor else 0
