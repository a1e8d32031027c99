"""A words service that hangs: everybody is told so in time, also those who wait behind others."""

import asyncio
import socket
import time

import pytest

from games.words_client import MAX_WORDS, WordsClient
from servicekit.problems import Unavailable

TIMEOUT_S = 0.3


@pytest.mark.anyio
async def test_who_waits_behind_lookups_that_hang_is_told_so_as_soon_as_they_are() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and says nothing
        async with WordsClient(f"http://127.0.0.1:{silent.getsockname()[1]}", TIMEOUT_S) as dictionary:
            began = time.monotonic()
            waiting = (dictionary.has("crane") for _ in range(5 * MAX_WORDS))
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            waited_s = time.monotonic() - began
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert waited_s < 4.5 * TIMEOUT_S  # five batches, one after the other, would take five times as long
