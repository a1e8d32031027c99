"""The settings of the games service; in the environment their names have the prefix GAMES_, as GAMES_ANSWERS_URL."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from servicekit.settings import DatabaseUrl, HttpUrl, KeyFile, ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="GAMES_")

    answers_url: DatabaseUrl = Field(default="sqlite:///var/answers.db", description="the answers database")
    plays_url: DatabaseUrl = Field(
        default="sqlite:///var/plays.db", description="the plays database, with the results on their way to stats"
    )
    words_url: HttpUrl = Field(
        default="http://127.0.0.1:9999/api/words",
        description="where the words service answers: through Traefik, which waits while an instance is replaced",
    )
    words_timeout_s: float = Field(
        default=3.0, gt=0, le=60, description="seconds that the words service has to answer, else 503"
    )
    stats_url: HttpUrl = Field(
        default="http://127.0.0.1:9999/api/stats",
        description="where the stats service answers: through Traefik, which chooses an instance",
    )
    stats_timeout_s: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="seconds that the stats service has to answer, else it is asked again later",
    )
    service_token_file: KeyFile = Field(
        default=Path("var/games.token"), description="the token that results are posted with, which bin/init makes"
    )
