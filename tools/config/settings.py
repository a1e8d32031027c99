"""All settings, those of the services and those that only Traefik reads, validated by one function.

bin/run calls it before it starts anything, and so does every script that needs the databases. Under a runner that was
started by hand each bin/keep does (`python -m tools.config.paths`), and ends with status 1, which ends the runner.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import AliasChoices, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings

import games.settings
import stats.settings
import users.settings
import words.settings
from tools.config import dotenv
from tools.config.proxy_settings import ProxySettings

CLASSES: tuple[type[BaseSettings], ...] = (
    users.settings.Settings,
    words.settings.Settings,
    games.settings.Settings,
    stats.settings.Settings,
    ProxySettings,
)
PREFIXES = ("USERS_", "WORDS_", "GAMES_", "STATS_")
S = TypeVar("S", bound=BaseSettings)


def list_names(settings: type[BaseSettings]) -> Iterator[tuple[str, list[str]]]:
    """Each field, and what it is called in the environment."""
    for field, info in settings.model_fields.items():
        match info.validation_alias:
            case AliasChoices(choices=choices):
                yield field, [str(choice) for choice in choices]
            case str(alias):
                yield field, [alias]
            case _:
                yield field, [f"{settings.model_config.get('env_prefix', '')}{field}".upper()]


def all_names() -> set[str]:
    return {name for settings in CLASSES for _, names in list_names(settings) for name in names}


def describe(settings: type[BaseSettings], error: ErrorDetails) -> str:
    """A sentence with the setting's name in the environment and the value."""
    field = str(error["loc"][0])
    names = dict(list_names(settings)).get(field, [field])
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix(f"{error['input']!r} ")
    return f"{names[0]} is {str(error['input'])!r}: it {message}."


def find_faults(settings: type[BaseSettings]) -> list[str]:
    """A sentence for each setting that is wrong."""
    try:
        settings()
    except ValidationError as error:
        first = {each["loc"][0]: each for each in reversed(error.errors())}
        return [describe(settings, each) for each in reversed(first.values())]
    return []


def require_good_settings() -> None:
    """Raises SystemExit with a sentence for each setting that cannot be right, in the environment or in .env."""
    faults = dotenv.find_faults(Path.cwd(), known=all_names(), prefixes=PREFIXES)
    if not faults:
        faults = [sentence for settings in CLASSES for sentence in find_faults(settings)]
    if faults:
        raise SystemExit("\n".join(dict.fromkeys(faults)))
