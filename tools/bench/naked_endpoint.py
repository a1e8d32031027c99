"""The naked endpoint: statistics from a constant, as the shortest FastAPI app has it, without a middleware."""

from uuid import UUID

from fastapi import FastAPI

from stats.models import GuessCounts, Statistics

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
    app = FastAPI()

    @app.get("/api/stats/users/{user_id}")
    async def read_constant(user_id: UUID) -> Statistics:
        return CONSTANT

    return app
