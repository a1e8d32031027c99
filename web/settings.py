"""The settings of the web service; in the environment their names have the prefix WEB_, as WEB_SUITE."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from servicekit.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="WEB_")

    suite: bool = Field(default=True, description="whether there is the page `/suite`, which shows the suite at work")
