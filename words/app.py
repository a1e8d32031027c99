"""The words service: `create_app(settings)`, and `app` for uvicorn."""

from functools import partial

from fastapi import FastAPI

from servicekit.auth.tokens import TokenVerifier
from servicekit.db.database import open_database
from servicekit.observability.metrics import Metrics
from servicekit.service import create_service
from words import queries
from words.routes import router
from words.settings import Settings

DESCRIPTION = "The dictionary: about 11,400 words of five letters that may be guessed."


def create_app(settings: Settings) -> FastAPI:
    metrics = Metrics()
    words = open_database(
        settings.database_url,
        busy_timeout_ms=settings.busy_timeout_ms,
        schema_version=queries.SCHEMA_VERSION,
        watch_waits=metrics.watch_waits,
    )
    app = create_service(
        title="Quintet words",
        description=DESCRIPTION,
        instance=settings.instance or "words",
        router=router,
        databases=[words],
        token_verifier=TokenVerifier(settings.token_public_key_file),
        checks=[partial(queries.check_words, words)],
        metrics=metrics,
    )
    app.state.words = words
    return app


def __getattr__(name: str) -> FastAPI:
    """`app` is made when uvicorn asks for it, so that importing this module reads no settings and no disk."""
    if name == "app":
        return create_app(Settings())
    raise AttributeError(name)
