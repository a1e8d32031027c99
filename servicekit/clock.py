"""What time it is, for what depends on it: a service is given its clock, and tests give another one."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Gives the UTC time."""


def read_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
