"""The settings that only Traefik uses: routes.toml inserts them from the environment, unchecked.

If Traefik cannot parse a limit it rejects the whole file, and every request gets 404; a limit of 0 disables it. Hosts
and origins become part of a regular expression, in which a `*` would match everything or nothing.
"""

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

NUMBER = re.compile(r"[1-9][0-9]{0,8}")
MAX_PORT = 65_535
HOST = re.compile(r"(?ai)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
ORIGIN = re.compile(rf"(?ai)https?://{HOST.pattern.removeprefix('(?ai)')}(:[1-9][0-9]{{0,4}})?")
DEFAULT_PORTS = {"http": "80", "https": "443"}


def check_limit(text: object) -> object:
    if not NUMBER.fullmatch(str(text)):
        raise ValueError("should be a whole number from 1 to 999999999")
    return text


def split_list(text: object) -> object:
    """Splits at commas and strips blanks, as routes.toml does; a list is returned as it is.

    A superfluous comma gives an empty part, which is refused: in a regular expression it would match every name.
    """
    if not isinstance(text, str):
        return text
    return [part.strip(" ") for part in text.split(",")] if text else []


def check_host(host: str) -> str:
    if not HOST.fullmatch(host):
        raise ValueError(f"should be host names separated by commas, without port or *, but has {host!r}")
    return host


def check_origin(origin: str) -> str:
    origin_without_port, _, port = origin.rpartition(":")
    if not ORIGIN.fullmatch(origin) or (port.isdigit() and int(port) > MAX_PORT):
        raise ValueError(
            "should be origins such as https://play.example, separated by commas, without path or *, but"
            f" has {origin!r}"
        )
    if port == DEFAULT_PORTS[origin.lower().partition(":")[0]]:
        raise ValueError(f"should not name the default port, which browsers omit: write {origin_without_port}")
    return origin


Limit: TypeAlias = Annotated[int, BeforeValidator(check_limit)]
Hosts: TypeAlias = Annotated[list[Annotated[str, AfterValidator(check_host)]], NoDecode, BeforeValidator(split_list)]
Origins: TypeAlias = Annotated[
    list[Annotated[str, AfterValidator(check_origin)]], NoDecode, BeforeValidator(split_list)
]


class ProxySettings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    registrations_per_minute: Limit = Field(default=120, description="registrations per minute of one client address")
    tokens_per_minute: Limit = Field(default=30, description="log-ins per minute of one client address")
    refreshes_per_minute: Limit = Field(
        default=6000, description="refreshed tokens and sign-outs per minute of one client address"
    )
    guesses_per_minute: Limit = Field(default=60_000, description="guesses per minute of one client address")
    requests_in_flight: Limit = Field(default=1000, description="concurrent requests of one client address")
    cors_origins: Origins = Field(default=[], description="origins whose pages may call the suite from a browser")
    allowed_hosts: Hosts = Field(default=[], description="host names that requests may be for")
