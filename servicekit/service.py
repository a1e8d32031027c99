"""Builds the parts that all services share; each `app.py` adds its own."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from servicekit.auth.tokens import TokenVerifier
from servicekit.db.database import Database
from servicekit.http.documentation import documentation_router
from servicekit.http.errors import install_error_handlers
from servicekit.http.health import HEALTH_TAG, Check, health_router
from servicekit.http.methods import list_methods
from servicekit.http.openapi import complete_document, list_statuses
from servicekit.http.query_parameters import QueryRules
from servicekit.http.strict_requests import StrictRequests
from servicekit.observability.logging import hide_bound_values
from servicekit.observability.metrics import Metrics, metrics_router
from servicekit.observability.middleware import ObservabilityMiddleware
from servicekit.problems import Problem
from servicekit.settings import ServiceSettings
from servicekit.version import VERSION


def public_prefix(service: str) -> str:
    """The path prefix that Traefik strips and uvicorn, as its root path, restores."""
    return f"/api/{service}"


HEALTH_TAGS = {HEALTH_TAG: "Whether an instance answers, and its databases."}


class Service(FastAPI):
    """A FastAPI app whose OpenAPI document describes errors as they are sent, and whose every request is observed."""

    def __init__(self, *, instance: str, metrics: Metrics, **options: Any) -> None:  # noqa: ANN401 - FastAPI's own
        super().__init__(**options)
        self.state.instance = instance
        self.state.metrics = metrics

    def build_middleware_stack(self) -> ASGIApp:
        """Wraps even ServerErrorMiddleware, so that a 500 has the headers; `add_middleware` would put it inside."""
        return ObservabilityMiddleware(
            super().build_middleware_stack(),
            instance=self.state.instance,
            metrics=self.state.metrics,
            routes=self.routes,
        )

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is not None:
            return self.openapi_schema
        document = super().openapi()
        complete_document(document)
        return document


def open_database(settings: ServiceSettings, metrics: Metrics, url: str, *, schema_version: int) -> Database:
    """A database as the settings have it, whose waits for the write lock are among the metrics."""
    return Database(
        url,
        busy_timeout_ms=settings.busy_timeout_ms,
        schema_version=schema_version,
        report_wait=metrics.wait_observer(PurePath(urlsplit(url).path).stem),
        connections=settings.postgres_connections,
    )


def start_counters(metrics: Metrics, routes: Iterable[BaseRoute]) -> None:
    """Counts every operation from zero: the first error of an instance is an increase like any other.

    Not Swagger's files and the metrics: they are no operations.
    """
    for route in routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                metrics.start_at_zero(method, route.path, list_statuses(method, route))


def order_routes(own: Sequence[BaseRoute], shared: Sequence[BaseRoute]) -> list[BaseRoute]:
    """A service's own routes come first: most requests are for them, and each route that is tried in vain costs 2 us.

    Only those that begin with a parameter come last: `/{word}` matches /docs, too.
    """
    first = [route for route in own if isinstance(route, APIRoute) and not route.path.startswith("/{")]
    return [*first, *shared, *(route for route in own if route not in first)]


def create_service(
    settings: ServiceSettings,
    metrics: Metrics,
    *,
    name: str,
    description: str,
    tags: Mapping[str, str],
    router: APIRouter,
    databases: Sequence[Database],
    checks: Sequence[Check],
    problem_types: Sequence[type[Problem]] = (),
    resources: Sequence[AbstractAsyncContextManager[object]] = (),
) -> FastAPI:
    """A FastAPI app with health checks, problem details, Swagger and metrics from its own port, and X-Served-By.

    `tags` are those of the router with a description each. The databases, and other resources (a client of another
    service), are open as long as the app runs.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        hide_bound_values()
        async with AsyncExitStack() as stack:
            for resource in (*databases, *resources):
                await stack.enter_async_context(resource)
            yield

    instance, title = settings.instance or name, f"Quintet {name}"
    shared = (
        documentation_router(title, problem_types),
        health_router(name, instance, checks),
        metrics_router(metrics),
    )
    app = Service(
        instance=instance,
        metrics=metrics,
        title=title,
        description=description,
        version=VERSION,
        contact={"name": "The developers of Quintet"},
        servers=[{"url": public_prefix(name)}],  # also on the service's own port: StrictRequests
        openapi_tags=[{"name": tag, "description": text} for tag, text in {**tags, **HEALTH_TAGS}.items()],
        # include_router would look up the path in each router twice (FastAPI 0.165): some 20 us per request
        routes=order_routes(router.routes, [route for each in shared for route in each.routes]),
        lifespan=lifespan,
        openapi_url=None,  # documentation_router has it
        redirect_slashes=False,  # a redirect would echo the client's Host header, and a client sends its password again
    )
    metrics.describe(service=name, process=instance)
    start_counters(metrics, app.routes)
    app.state.token_verifier = TokenVerifier(settings.token_public_key_file)
    install_error_handlers(app)
    app.state.methods = list_methods(app.routes)
    # Not pages: a link to one may carry tracking parameters.
    operations = [route for route in router.routes if isinstance(route, APIRoute) and route.include_in_schema]
    app.add_middleware(
        StrictRequests,
        routes=app.routes,
        methods=app.state.methods,
        query_rules=QueryRules(app.routes, checked=operations),
    )
    return app
