"""Methods: HEAD wherever GET is, and 405 with all methods of a path.

Starlette keeps searching when a path matches and its method does not, so `DELETE /openapi.json` would reach a service's
own `DELETE /{word}`, and `GET /token` its `GET /{user_id}`. A path without parameters answers 405 instead.
"""

from collections.abc import Iterable, Sequence

from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from servicekit.http.errors import on_problem
from servicekit.problems import MethodNotAllowed


def list_methods(routes: Iterable[BaseRoute]) -> dict[str, list[str]]:
    """The methods of each path, in alphabetical order, those of all its routes together."""
    methods: dict[str, set[str]] = {}
    for route in routes:
        if isinstance(route, Route):
            methods.setdefault(route.path, set()).update(route.methods or ())
    return {path: sorted(names | {"HEAD"} if "GET" in names else names) for path, names in methods.items()}


class MethodRules:
    """Answers HEAD as GET, whose body the server leaves out, and refuses methods that a literal path does not take."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._methods = list_methods(routes)
        self._literal_routes = {
            route.path: route for route in routes if isinstance(route, Route) and "{" not in route.path
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = self._literal_routes.get(scope["path"].removeprefix(scope["root_path"]))
        if route is not None and scope["method"] not in self._methods[route.path]:
            scope["route"] = route  # for the metrics
            response = await on_problem(Request(scope), MethodNotAllowed(scope["method"], self._methods[route.path]))
            await response(scope, receive, send)
        elif scope["method"] == "HEAD":
            as_get = {**scope, "method": "GET"}  # a copy: uvicorn sees HEAD in its own, and sends no body
            try:
                await self._app(as_get, receive, send)
            finally:
                scope["route"] = as_get.get("route")
        else:
            await self._app(scope, receive, send)
