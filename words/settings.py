"""The settings of the words service; in the environment their names have the prefix WORDS_, as WORDS_DATABASE_URL."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from servicekit.settings import DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="WORDS_")

    database_url: DatabaseUrl = Field(default="sqlite:///var/words.db", description="the dictionary")
