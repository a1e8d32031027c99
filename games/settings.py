"""What the games service can be told; each name has the prefix GAMES_ in the environment, GAMES_ANSWERS_URL."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from servicekit.settings import DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="GAMES_")

    answers_url: DatabaseUrl = Field(default="sqlite:///var/answers.db", description="the answers database")
    words_url: str = Field(
        default="http://127.0.0.1:5100", pattern="^https?://", description="where the words service answers"
    )
    words_timeout_s: float = Field(
        default=2.0, gt=0, le=60, description="seconds that the words service has to answer, else 503"
    )
