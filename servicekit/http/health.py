"""Liveness and readiness: `GET /live`, which Traefik asks, and `GET /health`, which reads all databases."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeAlias

from fastapi import APIRouter
from pydantic import BaseModel, Field

from servicekit.http.errors import problems
from servicekit.problems import Unavailable

Check: TypeAlias = Callable[[], Awaitable[object]]
"""Reads something from one database; raises DatabaseUnavailable if it does not answer."""

HEALTH_TAG = "health"


class Health(BaseModel):
    """A healthy instance."""

    status: Literal["ok"] = Field(description="always `ok`: anything else is a 503", examples=["ok"])
    instance: str = Field(description="which instance answered", examples=["stats.2"])


def health_router(service: str, instance: str, checks: Sequence[Check]) -> APIRouter:
    """Its operation ids are prefixed with the service, since a client may have those of all."""
    router = APIRouter(tags=[HEALTH_TAG], generate_unique_id_function=lambda route: f"{service}_{route.name}")

    @router.get("/live", summary="Is this instance there?")
    async def read_live() -> Health:
        """200 even if a database is unavailable: requests that need none, or another one, can still be answered."""
        return Health(status="ok", instance=instance)

    @router.get("/health", summary="Is this instance well?", responses=problems(Unavailable))
    async def read_health() -> Health:
        """200 if this instance and each of its databases answer, else 503 with the one that does not."""
        for check in checks:
            await check()
        return Health(status="ok", instance=instance)

    return router
