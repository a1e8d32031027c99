"""Server-Timing: how the time of a request is spent, so that a page can draw it.

    total;dur=5.10;desc="games.1", plays;dur=0.80;desc="database", stats;dur=2.20;desc="service",
    stats.total;dur=1.74;desc="stats.2", stats.games0;dur=0.40;desc="database"

In milliseconds, until the response begins: of the instance itself, of each of its databases (all reads and
transactions together, with the waits for locks), and of each request to another service, as the caller measured it.
What that service says of itself follows, its names prefixed.
"""

import re
from collections import defaultdict
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial

from fastapi import Depends

NAME = "[A-Za-z0-9_-]{1,30}"
METRIC = rf'{NAME}(?:\.{NAME}){{0,2}};dur=[0-9]{{1,6}}\.[0-9]{{2}}(?:;desc="[A-Za-z0-9._-]{{1,30}}")?'
METRICS = re.compile(rf"{METRIC}(?:, {METRIC}){{0,9}}")
"""What is passed on of another service's header: ten metrics in exactly the form of ours."""
MAX_REQUESTS = 8
"""To other services, in one header."""
MAX_MS = 999_999.99


@dataclass(slots=True)
class ServerTiming:
    """What one request has spent so far; its tasks share it."""

    is_withheld: bool = False
    databases: defaultdict[str, float] = field(default_factory=partial(defaultdict, float))
    """Seconds in each, by its name."""
    services: list[str] = field(default_factory=list)
    """The metrics of each request to another service."""

    def add_service(self, name: str, seconds: float, service_timing: str) -> None:
        """`service_timing`: the Server-Timing of its response; empty if there is none."""
        if len(self.services) < MAX_REQUESTS:
            inner = service_timing.split(", ") if METRICS.fullmatch(service_timing) else []
            parts = [format_metric(name, seconds, "service"), *(f"{name}.{metric}" for metric in inner)]
            self.services.append(", ".join(parts))

    def format_header(self, instance: str, seconds: float) -> str:
        """`instance` as `to_token` gives it; `seconds` since the request began."""
        databases = [format_metric(name, spent, "database") for name, spent in self.databases.items()]
        return ", ".join([format_metric("total", seconds, instance), *databases, *self.services])


def format_metric(name: str, seconds: float, description: str) -> str:
    return f'{name};dur={min(seconds * 1000, MAX_MS):.2f};desc="{description}"'


def to_token(text: str) -> str:
    """A name that a metric may have: of a database's file, or an instance."""
    return re.sub("[^A-Za-z0-9._-]", "-", text)[:30]


server_timing: ContextVar[ServerTiming] = ContextVar("server_timing", default=ServerTiming())  # noqa: B039 - see below
"""Of the current request; outside of a request: discarded. A task that serves several requests must not inherit it."""


async def withhold_server_timing() -> None:
    """For a route that checks passwords: an exact time would tell more of the check than the network lets through."""
    server_timing.get().is_withheld = True


NO_SERVER_TIMING = Depends(withhold_server_timing)
