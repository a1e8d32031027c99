"""The web service: `create_app(settings)`. It has no database, and asks no other service: the browser does."""

from fastapi import FastAPI

from servicekit.observability.metrics import Metrics
from servicekit.service import create_service
from web.routes import router
from web.settings import Settings
from web.site import read_site

DESCRIPTION = "The page to play on, and the one that shows the suite at work. Its only operations are health checks."


def create_app(settings: Settings) -> FastAPI:
    app = create_service(
        settings,
        Metrics(),
        name="web",
        description=DESCRIPTION,
        tags={},
        router=router,
        databases=[],
        checks=[],
    )
    app.state.site = read_site(with_suite=settings.suite)
    return app


def create_app_from_environment() -> FastAPI:
    """The factory that uvicorn is given (servicekit/server.py): importing this module reads no settings."""
    return create_app(Settings())
