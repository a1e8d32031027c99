"""The games service: `create_app(settings)`, and `app` for uvicorn."""

from functools import partial

from fastapi import FastAPI

from games import queries
from games.dictionary import Dictionary
from games.routes import router
from games.settings import Settings
from servicekit.databases import open_database
from servicekit.service import create_service

DESCRIPTION = """One puzzle a day (UTC), numbered by the days since 2021-06-19.

No endpoint shows an answer: `check` colours a guess."""


def create_app(settings: Settings) -> FastAPI:
    answers = open_database(settings.answers_url, busy_timeout_ms=settings.busy_timeout_ms)
    dictionary = Dictionary(settings.words_url, settings.words_timeout_s)
    app = create_service(
        title="Quintet games",
        description=DESCRIPTION,
        instance=settings.instance or "games",
        router=router,
        databases=[answers],
        checks=[partial(queries.check_answers, answers)],
        resources=[dictionary],
    )
    app.state.answers = answers
    app.state.dictionary = dictionary
    return app


def __getattr__(name: str) -> FastAPI:
    """`app` is made when uvicorn asks for it, so that importing this module reads no settings and no disk."""
    if name == "app":
        return create_app(Settings())
    raise AttributeError(name)
