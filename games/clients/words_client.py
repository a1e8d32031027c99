"""The client of the words service."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from games.clients.batching import Batcher
from games.clients.service_client import ServiceClient, read_object
from servicekit.observability.request_ids import request_id
from servicekit.observability.server_timing import server_timing
from servicekit.problems import Unavailable

MAX_WORDS = 100
"""What the words service looks up at once."""


@dataclass(frozen=True, slots=True)
class Lookup:
    word: str
    request_id: str


@dataclass(frozen=True, slots=True)
class LookedUp:
    is_known: bool
    server_timing: str
    """What the words service says of the whole batch."""


class WordsClient(ServiceClient):
    """Asks for many words at once if there are many: a request takes longer than all else that a guess takes."""

    def __init__(self, url: str, timeout_s: float) -> None:
        super().__init__("words", url, timeout_s)
        self._lookups = Batcher(self._look_up, largest=MAX_WORDS)

    async def has(self, word: str) -> bool:
        """Whether a word may be guessed. Raises Unavailable if the words service gives no answer to that in time.

        The timeout covers the wait for earlier batches, too, so that the 503 still reaches the player.
        """
        began, service_timing = time.perf_counter(), ""
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await self._lookups.submit(Lookup(word, request_id.get()))
            service_timing = found.server_timing
        except TimeoutError:
            raise Unavailable("The words service does not answer in time. Try again later.") from None
        finally:
            server_timing.get().add_service(self._name, time.perf_counter() - began, service_timing)
        return found.is_known

    async def _look_up(self, lookups: Sequence[Lookup]) -> list[LookedUp]:
        request_id.set(lookups[0].request_id)  # one request cannot have the ids of all: it is made for the first
        words = [lookup.word for lookup in lookups]
        # In the body: a URL would put guesses and coming answers into the access log.
        response = await self._send("POST", "/lookups", json={"words": words})
        known = read_object(response).get("known")
        if response.status_code != httpx.codes.OK or not isinstance(known, list):
            raise Unavailable(f"The words service answers {response.status_code} to a lookup. Try again later.")
        service_timing = response.headers.get("Server-Timing", "")
        return [LookedUp(word in known, service_timing) for word in words]
