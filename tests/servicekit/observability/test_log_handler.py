"""GatheringHandler buffers access lines under load, writes all other lines at once, and never waits for a reader."""

import asyncio
import logging
import os
import select
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from servicekit.observability.log_handler import PERIOD_S, WRITTEN_AT_ONCE, GatheringHandler, flush_log

ACCESS = logging.getLogger("quintet.access")
OTHER = logging.getLogger("quintet")
LONG_LINE = "x" * 999
CAPACITY_BYTES = 4 * 1024 * 1024
"""More than the capacity of any pipe."""
pytestmark = pytest.mark.anyio


@dataclass
class LogPipe:
    """A pipe that the root logger writes to."""

    reader: int
    writer: int

    def read(self) -> str:
        """What was written since the last call."""
        data = b""
        try:
            while piece := os.read(self.reader, 65_536):
                data += piece
        except BlockingIOError:
            pass
        return data.decode()

    def read_lines(self) -> list[str]:
        return self.read().splitlines()


@pytest.fixture
def pipe() -> Iterator[LogPipe]:
    reader, writer = os.pipe()
    for fd in (reader, writer):
        os.set_blocking(fd, False)
    handler = GatheringHandler(writer)
    root = logging.getLogger()
    before = [(logger, logger.level) for logger in (ACCESS, OTHER)]
    root.addHandler(handler)
    for logger, _ in before:
        logger.setLevel(logging.INFO)
    yield LogPipe(reader, writer)
    root.removeHandler(handler)
    for logger, level in before:
        logger.setLevel(level)
    os.close(writer)


def log_requests(count: int) -> list[str]:
    lines = [f"GET /{number} 200" for number in range(count)]
    for line in lines:
        ACCESS.info(line)
    return lines


async def test_first_access_lines_of_a_period_are_written_at_once(pipe: LogPipe) -> None:
    lines = log_requests(WRITTEN_AT_ONCE)
    assert pipe.read_lines() == lines


async def test_further_access_lines_are_written_when_the_period_ends(pipe: LogPipe) -> None:
    lines = log_requests(WRITTEN_AT_ONCE + 50)
    written = pipe.read_lines()
    assert written == lines[:WRITTEN_AT_ONCE]
    async with asyncio.timeout(PERIOD_S * 20):
        while len(written) < len(lines):
            await asyncio.sleep(0)
            written += pipe.read_lines()
    assert written == lines


async def test_buffer_is_written_before_it_exceeds_an_atomic_write(pipe: LogPipe) -> None:
    log_requests(WRITTEN_AT_ONCE)
    pipe.read()
    for _ in range(select.PIPE_BUF // len(LONG_LINE) + 1):
        ACCESS.info(LONG_LINE)
    written = pipe.read()
    assert 0 < len(written) <= select.PIPE_BUF
    assert set(written.splitlines()) == {LONG_LINE}
    assert written.endswith("\n")


async def test_other_line_flushes_the_buffered_access_lines(pipe: LogPipe) -> None:
    lines = log_requests(WRITTEN_AT_ONCE + 5)
    OTHER.warning("It is late")
    assert pipe.read_lines() == [*lines, "It is late"]


async def test_flush_log_writes_the_buffered_lines(pipe: LogPipe) -> None:
    lines = log_requests(WRITTEN_AT_ONCE + 5)
    flush_log()
    assert pipe.read_lines() == lines


def test_line_is_written_whole_or_dropped(pipe: LogPipe) -> None:
    for _ in range(CAPACITY_BYTES // len(LONG_LINE)):
        OTHER.info(LONG_LINE)
    assert set(pipe.read().splitlines(keepends=True)) == {f"{LONG_LINE}\n"}


def test_next_line_that_fits_reports_the_dropped_ones(pipe: LogPipe) -> None:
    for _ in range(500):
        OTHER.info(LONG_LINE)
    written = len(pipe.read_lines())
    OTHER.info("after")
    flush_log()
    OTHER.info("and after")
    assert written < 500
    assert pipe.read_lines() == [
        f"WARNING: {500 - written} lines of the log were dropped: they were not read in time.",
        "after",
        "and after",
    ]


def test_flush_without_a_line_keeps_the_number_of_dropped_lines(pipe: LogPipe) -> None:
    for _ in range(500):
        OTHER.info(LONG_LINE)
    flush_log()
    pipe.read()
    OTHER.info("after")
    assert "lines of the log were dropped" in pipe.read()


def test_pipe_without_a_reader_raises_nothing(pipe: LogPipe) -> None:
    os.close(pipe.reader)
    OTHER.info("a line")


def test_line_longer_than_an_atomic_write_is_written(pipe: LogPipe) -> None:
    line = "x" * 3 * select.PIPE_BUF
    OTHER.info(line)
    assert pipe.read() == f"{line}\n"


def test_malformed_log_call_raises_nothing(pipe: LogPipe, capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("quintet", logging.INFO, "a.py", 1, "%d requests", ("three",), None)
    GatheringHandler(pipe.writer).handle(record)  # past pytest's own handler, which would raise
    assert pipe.read() == ""
    assert "Logging error" in capsys.readouterr().err
