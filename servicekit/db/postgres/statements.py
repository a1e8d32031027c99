"""The SQL and the values that SQLite takes, as asyncpg takes them."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

PARAMETER = re.compile(r"'[^']*'|::\w+|:(?P<name>[a-z_][a-z_0-9]*)")
"""A `:name`, or what must not be taken for one: a text, a cast."""


@lru_cache(maxsize=1000)
def translate(query: str) -> tuple[str, tuple[str, ...]]:
    """The statement with `$1`, `$2` and so on for each `:name`, and the names in that order."""
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        name = match["name"]
        return match[0] if name is None else f"${numbers.setdefault(name, len(numbers) + 1)}"

    return PARAMETER.sub(number, query), tuple(numbers)


def bind(names: tuple[str, ...], values: Mapping[str, Any]) -> list[Any]:
    """The values of the parameters, in the order of the names; others are left out, as on SQLite."""
    return [values[name] for name in names]
