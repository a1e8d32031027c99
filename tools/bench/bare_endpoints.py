"""The reference of bin/bench for each service: endpoints of the same shape, in a service of ours, without data.

GET validates a UUID in the path and returns the statistics model from a constant, as stats would if reading were free;
POST validates the model of a result and returns it.
"""

from fastapi import APIRouter, FastAPI

from servicekit.http.parameters import UserInPath
from servicekit.observability.metrics import Metrics
from servicekit.service import create_service
from servicekit.settings import ServiceSettings
from stats.models import NewResult, Statistics
from tools.bench.naked_endpoint import CONSTANT


def create_app() -> FastAPI:
    router = APIRouter()

    @router.get("/users/{user_id}")
    async def read_constant(user_id: UserInPath) -> Statistics:
        return CONSTANT

    @router.post("/users/{user_id}/games")
    async def return_result(user_id: UserInPath, new: NewResult) -> NewResult:
        return new

    return create_service(
        ServiceSettings(),
        Metrics(),
        name="bare",
        description="",
        tags={},
        router=router,
        databases=[],
        checks=[],
    )
