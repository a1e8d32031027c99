"""What time it is: the puzzles change, plays close and `check` opens by it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Gives the UTC time; `create_app` is given one, and tests give another."""


def read_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
