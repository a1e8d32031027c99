"""The current time: a service is given its clock, and tests give it another one."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Gives the UTC time."""


def read_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
