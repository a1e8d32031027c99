"""The client of the stats service: posts results, and reads statistics and how a puzzle went."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from games.clients.service_client import ServiceClient, read_object
from games.rules.plays import PlayResult
from games.statistics import Distribution, Statistics
from servicekit.http.errors import PROBLEM_JSON
from servicekit.problems import Unavailable

logger = logging.getLogger("quintet")

M = TypeVar("M", bound=BaseModel)

TAKEN = {httpx.codes.CREATED, httpx.codes.OK}
"""OK: stats had this very result already."""
# Another result of this game is stored. Only this is permanent: 422 (a clock that was put back) and 404 (a user who is
# missing until a backup is restored, a wrong URL) may succeed on retry.
REFUSAL = httpx.codes.CONFLICT


class ResultRefused(Exception):
    """Stats will never take this result; the text says why."""


class StatsClient(ServiceClient):
    def __init__(self, url: str, timeout_s: float, token_file: Path) -> None:
        super().__init__("stats", url, timeout_s)
        self._token_file = token_file

    async def post_result(self, result: PlayResult) -> None:
        """Safe to repeat. Raises ResultRefused, or Unavailable if stats does not take the result now."""
        body = {
            "game_id": result.game_id,
            "won": result.won,
            "guesses": result.guesses,
            "finished": result.finished.isoformat(),
        }
        response = await self._send("POST", f"/users/{result.user_id}/games", json=body, headers=self._authorize())
        if response.status_code in TAKEN:
            return
        if response.status_code == REFUSAL and response.headers.get("Content-Type") == PROBLEM_JSON:
            raise ResultRefused(str(read_object(response).get("detail")))
        raise Unavailable(f"The stats service answers {response.status_code} to a result. Try again later.")

    async def read_statistics(self, user_id: UUID) -> Statistics:
        """Raises Unavailable if stats does not give them."""
        return await self._read(f"/users/{user_id}", Statistics, name="statistics")

    async def read_distribution(self, game_id: int) -> Distribution:
        """How a past puzzle or today's went so far. Raises Unavailable if stats does not say."""
        return await self._read(f"/games/{game_id}", Distribution, name="a distribution", headers=self._authorize())

    async def _read(self, path: str, model: type[M], *, name: str, headers: Mapping[str, str] | None = None) -> M:
        response = await self._send("GET", path, headers=headers)
        try:
            if response.status_code == httpx.codes.OK:
                return model.model_validate_json(response.content)
        except ValidationError:
            logger.exception("The stats service gives %s in another form than games expects", name)
        raise Unavailable(f"The stats service answers {response.status_code} for {name}. Try again later.")

    async def has_result(self, user_id: UUID, game_id: int) -> bool:
        """Whether stats has a result of this game. Raises Unavailable if it does not say."""
        response = await self._send("GET", f"/users/{user_id}/games/{game_id}")
        if response.status_code == httpx.codes.OK and read_object(response).get("game_id") == game_id:
            return True
        if response.status_code == httpx.codes.NOT_FOUND and response.headers.get("Content-Type") == PROBLEM_JSON:
            return False
        raise Unavailable(f"The stats service answers {response.status_code} for a result. Try again later.")

    def _authorize(self) -> dict[str, str]:
        """The header with the token, which is read each time, so that a new one needs no restart. Raises Unavailable if
        there is none."""
        try:
            return {"Authorization": f"Bearer {self._token_file.read_text(encoding='ascii').strip()}"}
        except (OSError, ValueError):
            raise Unavailable(f"There is no token in {self._token_file}. Make it with bin/init.") from None
