"""The settings of the users service; in the environment their names have the prefix USERS_, as USERS_DATABASE_URL."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from servicekit.settings import DatabaseUrl, KeyFile, ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="USERS_")

    database_url: DatabaseUrl = Field(default="sqlite:///var/users.db", description="the users database")
    token_private_key_file: KeyFile = Field(
        default=Path("var/tokens.key"),
        description="the key that tokens are signed with, which bin/init makes; no other service needs it",
    )
    behind_tls: bool = Field(
        default=False,
        description="whether a proxy in front of Traefik ends TLS without telling Traefik: cookies are then Secure",
    )
    token_lifetime_s: int = Field(
        default=3600,
        ge=1,
        le=30 * 86_400,
        description="seconds after which a token of POST /token ends, at most 30 days",
    )
