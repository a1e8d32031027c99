"""Who may check a guess: everyone once plays of the puzzle are closed, before that holders of a trusted scope."""

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from games.models import GameIdParameter
from games.puzzles import game_id_of, is_closed
from servicekit.auth.dependencies import Guard
from servicekit.clock import Clock
from servicekit.problems import NotFound

GAME_ID: TypeAdapter[int] = TypeAdapter(GameIdParameter)


class CheckGuard(Guard):
    """Lets every caller pass to a closed game, and to one that may still be played those with one of the scopes."""

    def check(self, request: Request) -> None:
        """Raises NotFound for a coming game; Unauthorized or Forbidden for one that may still be played."""
        clock: Clock = request.app.state.clock
        today = game_id_of(clock().date())
        try:
            # Read as FastAPI reads it: a spelling that only one of them takes would pass the guard unseen.
            game_id = GAME_ID.validate_python(request.path_params["game_id"])
        except ValidationError:
            return  # it is no game's: FastAPI answers 422
        if game_id > today:
            raise NotFound(f"Game {game_id} is yet to come.")
        if not is_closed(game_id, clock().date()):
            super().check(request)
