"""PipeStream: logging to a full pipe, and to a pipe without a reader."""

import os
import select

import pytest

from servicekit.observability.log_stream import PipeStream

CAPACITY_BYTES = 4 * 1024 * 1024
"""More than the capacity of any pipe."""


@pytest.fixture
def pipe() -> tuple[int, int]:
    return os.pipe()


def read_all(fd: int) -> bytes:
    os.set_blocking(fd, False)
    data = b""
    try:
        while piece := os.read(fd, 65_536):
            data += piece
    except BlockingIOError:
        pass
    return data


def test_line_is_written_whole_or_dropped(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    stream = PipeStream(writer)
    line = "x" * 999 + "\n"
    for _ in range(CAPACITY_BYTES // len(line)):
        stream.write(line)
    assert set(read_all(reader).decode().splitlines(keepends=True)) == {line}


def test_next_line_that_fits_reports_the_dropped_ones(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    stream = PipeStream(writer)
    for _ in range(500):
        stream.write("x" * 999 + "\n")
    written = len(read_all(reader).splitlines())
    stream.write("after\n")
    stream.write("and after\n")
    assert written < 500
    assert read_all(reader).decode().splitlines() == [
        f"WARNING: {500 - written} lines of the log were dropped: they were not read in time.",
        "after",
        "and after",
    ]


def test_pipe_without_a_reader_raises_nothing(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(reader)
    PipeStream(writer).write("a line\n")


def test_line_longer_than_an_atomic_write_is_written(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    line = "x" * 3 * select.PIPE_BUF + "\n"
    PipeStream(writer).write(line)
    assert read_all(reader).decode() == line
