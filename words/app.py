"""The words service: `create_app(settings)`."""

from functools import partial

from fastapi import FastAPI

from servicekit.observability.metrics import Metrics
from servicekit.service import create_service, open_database
from words import queries
from words.routes import router
from words.settings import Settings

DESCRIPTION = "The dictionary: about 11,400 words of five letters that may be guessed."
TAGS = {"words": "The dictionary of words that may be guessed."}


def create_app(settings: Settings) -> FastAPI:
    metrics = Metrics()
    words = open_database(settings, metrics, settings.database_url, schema_version=queries.SCHEMA_VERSION)
    app = create_service(
        settings,
        metrics,
        name="words",
        description=DESCRIPTION,
        tags=TAGS,
        router=router,
        databases=[words],
        checks=[partial(queries.check_words, words)],
    )
    app.state.words = words
    return app


def create_app_from_environment() -> FastAPI:
    """The factory that uvicorn is given (servicekit/server.py): importing this module reads no settings."""
    return create_app(Settings())
