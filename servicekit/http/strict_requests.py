"""The middleware that checks requests before any route sees them."""

import re
from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from servicekit.http.errors import invalid_response, on_problem
from servicekit.http.query_parameters import QueryRules
from servicekit.problems import BadRequest, MethodNotAllowed, Problem, UnsupportedContentEncoding

CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")
METHODS_WITH_BODY = {"DELETE", "PATCH", "POST", "PUT"}
PLAIN_CODINGS = {"", "identity"}


class StrictRequests:
    """Refuses requests that no route should see, answers HEAD as GET, and unifies the prefix.

    On a service's own port, a path may begin with the public prefix, as in the links that a service gives out
    (Swagger's `/api/stats/openapi.json`, Location): it arrives here with the prefix twice, since uvicorn adds it.
    Through Traefik no such path arrives (routes.toml).
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Sequence[BaseRoute],
        methods: Mapping[str, Sequence[str]],
        query_rules: QueryRules,
    ) -> None:
        """`methods`: of each path, from `list_methods`."""
        self._app = app
        self._methods = methods
        self._literal_routes = {
            route.path: route for route in routes if isinstance(route, Route) and "{" not in route.path
        }
        self._query_rules = query_rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        prefix = scope.get("root_path", "")
        path = scope["path"].removeprefix(prefix)
        if f"{path}/".startswith(f"{prefix}/"):
            path = path.removeprefix(prefix)
        path = path or "/"
        scope["path"] = prefix + path  # also of a request that is refused: the metrics look for its route
        refusal = await self._refuse(scope, path)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif scope["method"] == "HEAD":
            as_get = {**scope, "method": "GET"}  # a copy: uvicorn sees HEAD in its own, and sends no body
            try:
                await self._app(as_get, receive, send)
            finally:
                scope["route"] = as_get.get("route")
        else:
            await self._app(scope, receive, send)

    async def _refuse(self, scope: Scope, path: str) -> Response | None:
        """The response to a request that no route should see. `path`: without the prefix."""
        method = scope["method"]
        # Decoded, however it was sent. Starlette's routes end in `$`, which also matches before a line break: without
        # this, /token%0a would be /token.
        if CONTROL_CHARACTER.search(path):
            problem: Problem = BadRequest("The path contains a control character, such as a line break or a tab.")
            return await on_problem(Request(scope), problem)
        if method in METHODS_WITH_BODY:
            lines = Headers(scope=scope).getlist("Content-Encoding")
            if any(coding.strip() not in PLAIN_CODINGS for coding in ",".join(lines).lower().split(",")):
                problem = UnsupportedContentEncoding("Send the body as it is, without a Content-Encoding.")
                return await on_problem(Request(scope), problem)
        route = self._literal_routes.get(path)
        if route is not None and method not in self._methods[path]:
            scope["route"] = route  # for the metrics
            return await on_problem(Request(scope), MethodNotAllowed(method, self._methods[path]))
        errors = self._query_rules.check(scope) if scope["query_string"] else []
        return invalid_response(Request(scope), errors) if errors else None
