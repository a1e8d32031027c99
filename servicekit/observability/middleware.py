"""The outermost middleware of a service: request ids, metrics and the access log.

It is outside of what answers 500, so no response is without its headers and no request without its line.
"""

import logging
import time
from collections.abc import Sequence
from urllib.parse import quote

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit.http.caching import NO_CACHE
from servicekit.observability.metrics import Metrics
from servicekit.observability.request_ids import read_request_id, request_id
from servicekit.observability.server_timing import ServerTiming, server_timing, to_token

logger = logging.getLogger("quintet.access")

UNMATCHED = "unmatched"
"""The route of a path that matches none."""
METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
OTHER = "other"
"""Counts all other methods, so that clients cannot fill the memory with invented ones."""
QUIET = {"/health", "/live", "/metrics"}
"""Health checks and scrapes: without Server-Timing, and logged only when they fail."""

CACHE_CONTROL = (b"cache-control", NO_CACHE.encode("ascii"))
"""Where a response says nothing itself."""


def find_route(routes: Sequence[BaseRoute], scope: Scope) -> BaseRoute | None:
    """The route that a request was for which a middleware refused: of its path, whether or not it takes its method."""
    return next((route for route in routes if route.matches(scope)[0] is not Match.NONE), None)


class ObservabilityMiddleware:
    """Puts `X-Served-By: stats.2`, `X-Request-Id`, `Cache-Control` and `Server-Timing` on the responses of an app."""

    def __init__(self, app: ASGIApp, *, instance: str, metrics: Metrics, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._served_by = (b"x-served-by", instance.encode("latin-1"))
        self._instance = to_token(instance)
        self._metrics = metrics
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        current = read_request_id(scope["headers"])
        request_id.set(current)  # not reset: uvicorn runs each request in its own task, and logs its failure there
        headers = (self._served_by, (b"x-request-id", current.encode("ascii")))
        timing = ServerTiming()
        server_timing.set(timing)  # not reset either
        status = 500  # what the server answers for an app that fails before it answers

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = message.get("headers", ())
                default = () if any(name == b"cache-control" for name, _ in own) else (CACHE_CONTROL,)
                message["headers"] = [*own, *default, *headers]
                if not timing.is_withheld and scope["path"].removeprefix(scope.get("root_path", "")) not in QUIET:
                    text = timing.format_header(self._instance, time.perf_counter() - began)
                    message["headers"].append((b"server-timing", text.encode("ascii")))
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            self._report(scope, status, time.perf_counter() - began)

    def _report(self, scope: Scope, status: int, seconds: float) -> None:
        route: str = getattr(scope.get("route") or find_route(self._routes, scope), "path", UNMATCHED)
        method = scope["method"] if scope["method"] in METHODS else OTHER
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.request_seconds.labels(method, route, f"{status // 100}xx").observe(seconds)
        if logger.isEnabledFor(logging.INFO) and not (status == 200 and route in QUIET):  # noqa: PLR2004 - OK
            fields = {
                "method": scope["method"],
                "path": quote(scope["path"]),  # without the query, which may hold a password; no line break either
                "status": status,
                "milliseconds": round(seconds * 1000, 2),
            }
            logger.info("%(method)s %(path)s %(status)s %(milliseconds)s ms", fields, extra=fields)
