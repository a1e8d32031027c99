"""The settings that all services have. Values come from the environment, then from `.env` in the working directory."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from servicekit.db.engine import DEFAULT_CONNECTIONS
from servicekit.observability.logging import LogFormat

HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?"
POSTGRES_URL = re.compile(rf"postgresql://(?:[^/?#@\s]+@)?{HOST}(?:,{HOST})*/[A-Za-z0-9_-]+(?:\?[^#\s]*)?")


def hide_password(text: str) -> str:
    """A URL as it may be printed."""
    return re.sub(r"(?<=://)([^/?#@:\s]*):[^/?#@\s]*@", r"\1:***@", text)


def check_database_url(url: str) -> str:
    if url.startswith("postgresql:"):
        if not POSTGRES_URL.fullmatch(url):
            raise ValueError(
                "should be postgresql://USER:PASSWORD@HOST:PORT/DATABASE, of a replicated server HOST:PORT,HOST:PORT"
            )
        return url
    if not url.startswith("sqlite:///") or url == "sqlite:///":
        raise ValueError(
            f"{url!r} should be sqlite:///PATH, the path relative to the working directory or absolute,"
            " or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        )
    if cut_off := set(url) & set("#?%"):
        raise ValueError(f"{url!r} should have no {min(cut_off)} in its path: a URL means something else by that")
    if url.endswith("/") or url.startswith("sqlite:///~"):
        raise ValueError(f"{url!r} should name a file, by a path relative to the working directory or absolute")
    return url


def check_http_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # no port, no IPv6 address
        is_good = False
    if not is_good or parts.query or parts.fragment:
        raise ValueError(f"{url!r} should be http://HOST/PATH or https://HOST/PATH")
    return url


def check_key_file(path: Path) -> Path:
    """Raises ValueError for what names no file, or a home folder that no program looks up."""
    if path == Path() or path.parts[0].startswith("~"):
        raise ValueError("should name a file, by a path relative to the working directory or absolute")
    return path


DatabaseUrl = Annotated[str, AfterValidator(check_database_url)]
HttpUrl = Annotated[str, AfterValidator(check_http_url)]
KeyFile = Annotated[Path, AfterValidator(check_key_file)]


class ServiceSettings(BaseSettings):
    """A service's Settings inherit these; their own names get the service's prefix in the environment."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, populate_by_name=True)

    instance: str = Field(
        default="",
        validation_alias=AliasChoices("PS", "HONCHO_PROCESS_NAME"),
        description="the name of this process, in X-Served-By; foreman sets PS, honcho HONCHO_PROCESS_NAME",
    )
    busy_timeout_ms: int = Field(
        default=1500,
        ge=0,
        le=60_000,
        validation_alias="BUSY_TIMEOUT_MS",
        description="milliseconds that a write waits for its turn and for the write lock before it is answered 503",
    )
    postgres_connections: int = Field(
        default=DEFAULT_CONNECTIONS,
        ge=1,
        le=100,
        validation_alias="POSTGRES_CONNECTIONS",
        description="the most connections that this process opens to each of its databases on PostgreSQL",
    )
    log_format: LogFormat = Field(
        default="text",
        validation_alias="LOG_FORMAT",
        description="`text`, or `json` for machines that read the log",
    )
    access_log: bool = Field(
        default=True, validation_alias="ACCESS_LOG", description="a line in the log for each request"
    )
    token_public_key_file: KeyFile = Field(
        default=Path("var/tokens.pub"),
        validation_alias="TOKEN_PUBLIC_KEY_FILE",
        description="the key that tokens are verified with, which bin/init makes",
    )
