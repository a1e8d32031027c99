"""Validates all settings, those of the services and those of Traefik, in one function.

bin/run and every script that needs the databases call it first. If the runner was started by hand, each bin/keep does
(`python -m tools.config.paths`), and its exit status 1 stops the runner.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings

import games.settings
import stats.settings
import users.settings
import web.settings
import words.settings
from servicekit.settings import hide_password
from tools.config.dotenv import find_dotenv_faults
from tools.config.proxy_settings import ProxySettings

CLASSES: tuple[type[BaseSettings], ...] = (
    users.settings.Settings,
    words.settings.Settings,
    games.settings.Settings,
    stats.settings.Settings,
    web.settings.Settings,
    ProxySettings,
)
NO_CHANGES: Mapping[str, str] = {}
PREFIXES = ("USERS_", "WORDS_", "GAMES_", "STATS_", "WEB_")


def list_names(settings: type[BaseSettings]) -> Iterator[tuple[str, list[str]]]:
    """Each field with its names in the environment."""
    for field, info in settings.model_fields.items():
        match info.validation_alias:
            case AliasChoices(choices=choices):
                yield field, [str(choice) for choice in choices]
            case str(alias):
                yield field, [alias]
            case _:
                yield field, [f"{settings.model_config.get('env_prefix', '')}{field}".upper()]


def list_all_names() -> set[str]:
    return {name for settings in CLASSES for _, names in list_names(settings) for name in names}


def describe_error(settings: type[BaseSettings], error: ErrorDetails) -> str:
    """A sentence with the name of the setting in the environment and its value."""
    field = str(error["loc"][0])
    names = dict(list_names(settings)).get(field, [field])
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix(f"{error['input']!r} ")
    return f"{names[0]} is {hide_password(str(error['input']))!r}: it {message}."


def pick_fields(settings: type[BaseSettings], changes: Mapping[str, str]) -> dict[str, Any]:
    """The values of a class's fields among settings by name, as its constructor takes them."""
    return {field: changes[name] for field, names in list_names(settings) for name in names if name in changes}


def find_setting_faults(settings: type[BaseSettings], changes: Mapping[str, str] = NO_CHANGES) -> list[str]:
    """A sentence for each invalid setting of a class; `changes` are settings by name that replace others."""
    try:
        settings(**pick_fields(settings, changes))
    except ValidationError as error:
        first = {each["loc"][0]: each for each in reversed(error.errors())}
        return [describe_error(settings, each) for each in reversed(first.values())]
    return []


def require_valid_settings(changes: Mapping[str, str] = NO_CHANGES) -> None:
    """Raises SystemExit with a sentence for each invalid setting, in the environment, in .env or in `changes`."""
    faults = find_dotenv_faults(Path.cwd(), known=list_all_names(), prefixes=PREFIXES)
    if not faults:
        faults = [sentence for settings in CLASSES for sentence in find_setting_faults(settings, changes)]
    if faults:
        raise SystemExit("\n".join(dict.fromkeys(faults)))
