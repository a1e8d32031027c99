"""The base of the HTTP clients of other services, with pooled connections."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import cache
from types import TracebackType
from typing import Any, Self

import httpx

from servicekit.observability.request_ids import make_traceparent
from servicekit.observability.server_timing import server_timing
from servicekit.problems import Unavailable

KEEP_ALIVE_S = 1.0
"""Below the 1.5 s after which an instance that drains closes idle connections (servicekit/server.py), and below the
idle timeouts of uvicorn (5 s) and Traefik (60 s)."""

CONNECTIONS = 8
"""httpx scans its pool at every request: with 64 connections a request costs it twice as much."""


@cache
def get_tls() -> ssl.SSLContext:
    """One for all clients: to read the certificates takes 50 ms and 3 MB."""
    return httpx.create_ssl_context()


class ServiceClient(AbstractAsyncContextManager["ServiceClient"]):
    """The base of each service's own class."""

    def __init__(self, name: str, url: str, timeout_s: float) -> None:
        self._name = name
        self._url = url
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        self._slots = asyncio.Semaphore(CONNECTIONS)  # our own queue: httpx looks through all of its own each time
        self._client = httpx.AsyncClient(
            base_url=self._url,
            timeout=self._timeout_s,
            limits=httpx.Limits(max_connections=CONNECTIONS, keepalive_expiry=KEEP_ALIVE_S),
            verify=self._url.startswith("https:") and get_tls(),  # of no use to plain HTTP
            event_hooks={"request": [add_request_id]},
            trust_env=False,  # a proxy that the environment names is for the world outside
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def _send(
        self, method: str, path: str, *, json: object = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Sends a request when one of CONNECTIONS slots is free; the timeout covers the wait for a slot.

        Raises Unavailable if the service gives no answer. What httpx says of that is not passed on, nor logged: it may
        quote a header, and so a token.
        """
        began, service_timing = time.perf_counter(), ""
        try:
            async with asyncio.timeout(self._timeout_s), self._slots:
                response = await self._client.request(method, path, json=json, headers=headers)
            service_timing = response.headers.get("Server-Timing", "")
        except (TimeoutError, httpx.TimeoutException):
            raise Unavailable(f"The {self._name} service does not answer in time. Try again later.") from None
        except httpx.HTTPError:
            raise Unavailable(f"The {self._name} service does not answer. Try again later.") from None
        finally:
            server_timing.get().add_service(self._name, time.perf_counter() - began, service_timing)
        return response


async def add_request_id(request: httpx.Request) -> None:
    """Adds the request id, for the log of the other service."""
    request.headers["traceparent"] = make_traceparent()


def read_object(response: httpx.Response) -> dict[str, Any]:
    """The JSON object in the body; empty if the body is something else, as of a proxy in between."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
