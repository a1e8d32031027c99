"""What the users service can be told; each name has the prefix USERS_ in the environment, USERS_DATABASE_URL."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from servicekit.settings import DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="USERS_")

    database_url: DatabaseUrl = Field(default="sqlite:///var/users.db", description="the users database")
