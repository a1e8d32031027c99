"""The client of the words service, when that service hangs."""

import asyncio
import socket
import time

import pytest

from games.clients.words_client import MAX_WORDS, WordsClient
from servicekit.problems import Unavailable

TIMEOUT_S = 1.0


@pytest.mark.anyio
async def test_queued_lookups_fail_together_with_the_ones_that_hang() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts connections and never answers
        async with WordsClient(f"http://127.0.0.1:{silent.getsockname()[1]}", TIMEOUT_S) as dictionary:
            began = time.monotonic()
            lookups = (dictionary.has("crane") for _ in range(5 * MAX_WORDS))
            outcomes = await asyncio.gather(*lookups, return_exceptions=True)
            waited_s = time.monotonic() - began
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert waited_s < 4.5 * TIMEOUT_S  # five batches one after another would take five timeouts
