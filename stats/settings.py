"""The settings of the stats service; in the environment their names have the prefix STATS_, as STATS_USERS_URL."""

import re
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from servicekit.settings import DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="STATS_")

    users_url: DatabaseUrl = Field(
        default="sqlite:///var/users.db", description="the users database, which this service only reads"
    )
    shard_urls: Annotated[tuple[DatabaseUrl, ...], NoDecode] = Field(
        default=("sqlite:///var/games0.db", "sqlite:///var/games1.db", "sqlite:///var/games2.db"),
        min_length=1,
        description="the shards of the games, separated by commas; only bin/reshard may change their number or order",
    )

    @field_validator("shard_urls", mode="before")
    @classmethod
    def split_urls(cls, urls: object) -> object:
        """At the commas, except those between the hosts of one PostgreSQL URL."""
        if not isinstance(urls, str):
            return urls
        parts = re.split(r",(?=\s*\w+://)", urls)
        return tuple(
            url.strip()
            for part in parts
            for url in ([part] if part.lstrip().startswith("postgresql:") else part.split(","))
        )

    @field_validator("shard_urls")
    @classmethod
    def refuse_repetition(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        """A file that is two shards would show its users twice on every leaderboard."""
        if len(set(urls)) < len(urls):
            raise ValueError(f"{','.join(urls)!r} names a shard twice")
        return urls
