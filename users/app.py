"""The users service: `create_app(settings)`, and `app` for uvicorn."""

from functools import partial

from fastapi import FastAPI

from servicekit.databases import open_database
from servicekit.service import create_service
from users import queries
from users.routes import router
from users.settings import Settings

DESCRIPTION = "Who plays: every player has a name, and a random id by which all services know them."


def create_app(settings: Settings) -> FastAPI:
    users = open_database(settings.database_url, busy_timeout_ms=settings.busy_timeout_ms)
    app = create_service(
        title="Quintet users",
        description=DESCRIPTION,
        instance=settings.instance or "users",
        router=router,
        databases=[users],
        checks=[partial(queries.check_users, users)],
    )
    app.state.users = users
    return app


def __getattr__(name: str) -> FastAPI:
    """`app` is made when uvicorn asks for it, so that importing this module reads no settings and no disk."""
    if name == "app":
        return create_app(Settings())
    raise AttributeError(name)
