"""What every service can be told. Values come from the environment, then from `.env` in the working directory."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from servicekit.logging import LogFormat


def check_database_url(url: str) -> str:
    if not url.startswith("sqlite:///") or url == "sqlite:///":
        raise ValueError(f"{url!r} should be sqlite:///PATH, the path relative to the working directory or absolute")
    return url


DatabaseUrl = Annotated[str, AfterValidator(check_database_url)]


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
    log_format: LogFormat = Field(
        default="text",
        validation_alias="LOG_FORMAT",
        description="`text`, or `json` for machines that read the log",
    )
    access_log: bool = Field(
        default=True, validation_alias="ACCESS_LOG", description="a line in the log for each request"
    )
    token_public_key_file: Path = Field(
        default=Path("var/tokens.pub"),
        validation_alias="TOKEN_PUBLIC_KEY_FILE",
        description="the key that tokens are verified with, which bin/init makes",
    )
