"""Metrics for Prometheus: `GET /metrics` on the service's own port."""

from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Request
from prometheus_client import CollectorRegistry, Counter, Histogram, Info
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from starlette.responses import Response

from servicekit.version import VERSION

BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
PROXY_HEADERS = ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded")


class Metrics:
    """The metrics of one app, in their own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.database_waits = Histogram(
            "quintet_database_wait_seconds",
            "How long a transaction waited until it had the write lock, or gave up",
            ["database"],
            registry=self.registry,
            buckets=BUCKETS_S,
        )
        self.before_scrape: list[Callable[[], Awaitable[object]]] = []
        """Called before each scrape: they update the gauges that are read from a database."""
        self.requests = Counter(
            "quintet_requests", "Requests that were answered", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "quintet_request_seconds",
            "From a request's headers to the end of its response",
            ["method", "route", "status_class"],
            registry=self.registry,
            buckets=BUCKETS_S,
        )
        self._info = Info("quintet", "Which process of which version this is", registry=self.registry)
        ProcessCollector(registry=self.registry)

    def describe(self, *, service: str, process: str) -> None:
        """Labels of `quintet_info`: `stats` and `stats.2`."""
        self._info.info({"service": service, "process": process, "version": VERSION})

    def start_at_zero(self, method: str, route: str, statuses: Iterable[int]) -> None:
        """Creates the series of an operation: `rate` takes no notice of the request that a series begins with.

        500 may come from any operation, though none documents it. A series of the histogram is seventeen lines, so only
        that of 2xx, which most responses are, exists from the start.
        """
        for status in {*statuses, HTTPStatus.INTERNAL_SERVER_ERROR}:
            self.requests.labels(method, route, int(status))
        self.request_seconds.labels(method, route, "2xx")

    def wait_observer(self, database: str) -> Callable[[float], None]:
        """The function to call with the seconds of each wait for the write lock of a database."""
        return self.database_waits.labels(database).observe


def metrics_router(metrics: Metrics) -> APIRouter:
    router = APIRouter()

    @router.get("/metrics", include_in_schema=False)
    async def read_metrics(request: Request) -> Response:
        """Answers on this machine only: through Traefik it is 404."""
        if any(name in request.headers for name in PROXY_HEADERS):
            raise HTTPException(404)
        for update in metrics.before_scrape:
            await update()
        encode, media_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(metrics.registry), media_type=media_type)

    return router
