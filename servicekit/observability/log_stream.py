"""Writing the log to a pipe without ever waiting for the process that reads it.

A runner that is frozen, or no longer reads, leaves the pipe full after 64 KiB; a blocking write would then stop the
service. Lines that do not fit are dropped, and the next one that fits says how many.
"""

import io
import os
import select
import stat
import sys
from collections.abc import Iterator
from typing import TextIO


class PipeStream(io.TextIOBase):
    """A text stream on the write end of a pipe, for logging."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        os.set_blocking(fd, False)
        self._fd = fd
        self._dropped = 0

    def write(self, text: str) -> int:
        """Writes each line whole, or drops it; a line above PIPE_BUF, which Linux may split, is written in pieces."""
        for lines in self._pack(text):
            self._write_lines(lines)
        return len(text)

    def _pack(self, text: str) -> Iterator[list[bytes]]:
        """As many whole lines at a time as one atomic write takes."""
        packed: list[bytes] = []
        for line in text.encode("utf-8", "backslashreplace").splitlines(keepends=True):
            if packed and sum(map(len, packed)) + len(line) > select.PIPE_BUF:
                yield packed
                packed = []
            packed.append(line)
        yield packed

    def _write_lines(self, lines: list[bytes]) -> None:
        notice = f"WARNING: {self._dropped} lines of the log were dropped: they were not read in time.\n".encode()
        data = b"".join([notice, *lines] if self._dropped else lines)
        try:
            while data:
                # Up to PIPE_BUF bytes a write is atomic: all of it, or an error.
                data = data[os.write(self._fd, data[: select.PIPE_BUF]) :]
            self._dropped = 0
        except OSError:  # the pipe is full, or has no reader
            self._dropped += len(lines)


def open_log_stream() -> TextIO | PipeStream:
    """Standard error. Only a pipe is made non-blocking: on a terminal the flag would reach the user's shell."""
    try:
        fd = sys.stderr.fileno()
        is_pipe = stat.S_ISFIFO(os.fstat(fd).st_mode)
    except OSError:  # it is no file
        return sys.stderr
    return PipeStream(fd) if is_pipe else sys.stderr
