"""Who may check a guess: for a past puzzle everybody, for today's those whom the operator trusts with its answer."""

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from games.models import GameId
from games.puzzles import game_id_of
from servicekit.clock import Clock
from servicekit.problems import NotFound
from servicekit.rights import Guard

GAME_ID: TypeAdapter[int] = TypeAdapter(GameId)


class CheckGuard(Guard):
    """Lets everybody pass to a past game, and to today's those with one of the scopes."""

    def check(self, request: Request) -> None:
        """Raises NotFound for a game that is yet to come; for today's, Unauthorized and Forbidden as any guard."""
        clock: Clock = request.app.state.clock
        today = game_id_of(clock().date())
        try:
            # Read as FastAPI reads it, to whom 1983.0 is 1983 too.
            game_id = GAME_ID.validate_python(request.path_params["game_id"])
        except ValidationError:
            return  # it is no game's: FastAPI answers 422
        if game_id > today:
            raise NotFound(f"Game {game_id} is yet to come.")
        if game_id == today:
            super().check(request)
