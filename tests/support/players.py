"""A client of the games service for one player."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from fastapi.testclient import TestClient

from tests.support.polling import wait_until

FROM_STATS = ("statistics", "distribution")
"""What the answer to a last guess has from stats, unless stats takes longer than a second."""
TODAY = 1983
ANSWER = "ahead"
"""The answer of today's game."""
WRONG = ("abbey", "crane", "daddy", "eerie", "geese", "zebra")
"""Six wrong guesses for today's game, all candidates and in the dictionary."""
NO_CANDIDATE = "snail"
"""A word that is in the dictionary and not a candidate."""


def repeat_until_given(guess: Callable[[], httpx.Response], *fields: str) -> dict[str, Any]:
    """Sends a last guess until stats gives these fields in time, and returns the state."""
    state: dict[str, Any] = {}

    def is_given() -> bool:
        state.update(guess().raise_for_status().json())
        return all(state[field] is not None for field in fields)

    wait_until(is_given)
    return state


@dataclass(frozen=True, slots=True)
class Player:
    client: TestClient | httpx.Client
    user_id: UUID
    headers: dict[str, str]
    """Authorization with the player's token."""

    def path(self, game_id: int = TODAY) -> str:
        return f"/{game_id}/plays/{self.user_id}"

    def begin(self, game_id: int = TODAY, *, hard: bool = False) -> httpx.Response:
        return self.client.put(self.path(game_id), json={"hard": hard}, headers=self.headers)

    def read(self, game_id: int = TODAY) -> httpx.Response:
        return self.client.get(self.path(game_id), headers=self.headers)

    def guess(self, attempt: object, guess: object, game_id: int = TODAY) -> httpx.Response:
        body = {"attempt": attempt, "guess": guess}
        return self.client.post(f"{self.path(game_id)}/guesses", json=body, headers=self.headers)

    def share(self, game_id: int = TODAY) -> httpx.Response:
        return self.client.get(f"{self.path(game_id)}/share", headers=self.headers)

    def play(self, *guesses: str) -> dict[str, Any]:
        """Starts today's game, makes the guesses, and returns the state after the last one."""
        state: dict[str, Any] = self.begin().raise_for_status().json()
        for attempt, guess in enumerate(guesses, start=1):
            state = self.guess(attempt, guess).raise_for_status().json()
        return state

    def finish(self, *guesses: str, given: tuple[str, ...] = FROM_STATS) -> dict[str, Any]:
        """Plays today's game to its end, and returns the state with these fields, which stats gives."""
        self.play(*guesses)
        return repeat_until_given(lambda: self.guess(len(guesses), guesses[-1]), *given)
