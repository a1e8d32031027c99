"""The limit that bin/bench measures against: endpoints of the same shape with no data behind them.

GET validates a UUID in the path and returns the statistics model from a constant, as stats would if reading were free;
POST validates the model of a result and returns it.
"""

from fastapi import APIRouter, FastAPI

from servicekit.observability.metrics import Metrics
from servicekit.service import create_service
from servicekit.settings import ServiceSettings
from stats.dependencies import UserInPath
from stats.models import GuessCounts, NewResult, Statistics

CONSTANT = Statistics(
    current_streak=4,
    max_streak=5,
    guesses=GuessCounts(in_1=0, in_2=0, in_3=2, in_4=3, in_5=4, in_6=2, fail=1),
    win_percentage=92,
    games_played=12,
    games_won=11,
    average_guesses=5,
)


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
        router=router,
        databases=[],
        checks=[],
    )
