"""How a service is put together: the same for all four, so that each `app.py` says only what is its own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from databases import Database
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi_swagger import patch_fastapi
from starlette.types import ASGIApp

from servicekit.auth.tokens import TokenVerifier
from servicekit.http.errors import install_error_handlers, problem_schemas, problems
from servicekit.http.health import Check, health_router
from servicekit.http.middleware import OwnPrefix, StrictRequests
from servicekit.http.reserved_paths import ReservedAPIRoute, ReservedRoute
from servicekit.observability.logging import hide_bound_values
from servicekit.observability.metrics import Metrics, metrics_router
from servicekit.observability.middleware import Observed
from servicekit.problems import BadRequest, Problem, UnsupportedMediaType


class Service(FastAPI):
    """A FastAPI app whose OpenAPI document describes errors as they are sent, and whose every request is observed."""

    def __init__(self, *, instance: str, metrics: Metrics, **options: Any) -> None:  # noqa: ANN401 - FastAPI's own
        super().__init__(**options)
        self.state.instance = instance
        self.state.metrics = metrics

    def add_route(
        self,
        path: str,
        route: Callable[[Request], Awaitable[Response] | Response],
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """FastAPI adds /openapi.json by this."""
        added = ReservedRoute(path, route, methods=methods, name=name, include_in_schema=include_in_schema)
        self.router.routes.append(added)

    def build_middleware_stack(self) -> ASGIApp:
        """Around everything: what `add_middleware` adds is inside of what answers 500."""
        return Observed(super().build_middleware_stack(), instance=self.state.instance, metrics=self.state.metrics)

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document.setdefault("components", {}).setdefault("schemas", {}).update(problem_schemas())
        for operations in document["paths"].values():
            for operation in operations.values():
                operation["responses"] = dict(sorted((operation["responses"] | list_refusals(operation)).items()))
        return document


def list_refusals(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What StrictRequests may answer instead of an operation of an OpenAPI document."""
    refusals: list[type[Problem]] = []
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", [])):
        refusals.append(BadRequest)
    if "requestBody" in operation:
        refusals.append(UnsupportedMediaType)
    return {str(status): response for status, response in problems(*refusals).items()}


def create_service(
    *,
    title: str,
    description: str,
    instance: str,
    router: APIRouter,
    databases: Sequence[Database],
    checks: Sequence[Check],
    metrics: Metrics,
    token_verifier: TokenVerifier | None = None,
    resources: Sequence[AbstractAsyncContextManager[object]] = (),
) -> FastAPI:
    """A FastAPI app with health, problem details, Swagger and metrics from our own port, and X-Served-By.

    The databases, and other resources (a client of another service), are open as long as the app runs. Only a service
    without guarded routes (servicekit/auth/dependencies.py) does without a token verifier.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        hide_bound_values()
        async with AsyncExitStack() as stack:
            for resource in (*databases, *resources):
                await stack.enter_async_context(resource)
            yield

    app = Service(
        instance=instance,
        metrics=metrics,
        title=title,
        description=description,
        version="1.0.0",
        lifespan=lifespan,
        docs_url=None,  # fastapi_swagger's page, below
        redoc_url=None,
        redirect_slashes=False,  # a redirect names the host that the client named, and has a password sent twice
        swagger_ui_oauth2_redirect_url=None,
    )
    app.state.token_verifier = token_verifier
    install_error_handlers(app)
    # Before the service's own paths, some of which are /{name} and would take these for names.
    app.router.route_class = ReservedAPIRoute
    patch_fastapi(app, redirect_from_root_to_docs=False)
    for each in (health_router(instance, checks), metrics_router(metrics), router):
        # Not include_router: what it includes it looks through twice for every request, a tenth of what FastAPI costs.
        app.router.routes.extend(each.routes)
    app.add_middleware(OwnPrefix)
    app.add_middleware(StrictRequests)
    return app
