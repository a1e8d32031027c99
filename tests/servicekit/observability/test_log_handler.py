"""GatheringHandler buffers access lines under load and writes all other lines at once."""

import asyncio
import io
import logging
from collections.abc import Iterator

import pytest

from servicekit.observability.log_handler import PERIOD_S, WRITTEN_AT_ONCE, GatheringHandler, flush_log

ACCESS = logging.getLogger("quintet.access")
OTHER = logging.getLogger("quintet")
pytestmark = pytest.mark.anyio


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """The output of a handler on the root logger."""
    stream = io.StringIO()
    handler = GatheringHandler(stream)
    root = logging.getLogger()
    before = [(logger, logger.level) for logger in (ACCESS, OTHER)]
    root.addHandler(handler)
    for logger, _ in before:
        logger.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    for logger, level in before:
        logger.setLevel(level)


def log_requests(count: int) -> list[str]:
    lines = [f"GET /{number} 200" for number in range(count)]
    for line in lines:
        ACCESS.info(line)
    return lines


async def test_first_access_lines_of_a_period_are_written_at_once(stream: io.StringIO) -> None:
    lines = log_requests(WRITTEN_AT_ONCE)
    assert stream.getvalue().splitlines() == lines


async def test_further_access_lines_are_written_when_the_period_ends(stream: io.StringIO) -> None:
    lines = log_requests(WRITTEN_AT_ONCE + 50)
    assert stream.getvalue().splitlines() == lines[:WRITTEN_AT_ONCE]
    async with asyncio.timeout(PERIOD_S * 20):
        while len(stream.getvalue().splitlines()) < len(lines):  # noqa: ASYNC110 - a stream has no event
            await asyncio.sleep(0)
    assert stream.getvalue().splitlines() == lines


async def test_other_line_flushes_the_buffered_access_lines(stream: io.StringIO) -> None:
    lines = log_requests(WRITTEN_AT_ONCE + 5)
    OTHER.warning("It is late")
    assert stream.getvalue().splitlines() == [*lines, "It is late"]


async def test_flush_log_writes_the_buffered_lines(stream: io.StringIO) -> None:
    lines = log_requests(WRITTEN_AT_ONCE + 5)
    flush_log()
    assert stream.getvalue().splitlines() == lines


def test_lines_are_written_at_once_without_an_event_loop(stream: io.StringIO) -> None:
    lines = log_requests(WRITTEN_AT_ONCE + 5)
    assert stream.getvalue().splitlines() == lines
