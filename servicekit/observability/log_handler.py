"""A log handler that waits for no reader, and gathers access lines where there are many.

Lines that a full pipe does not take are dropped, and the next line that fits is preceded by their number.

Each write also wakes the runner, which passes the line on. At 2,000 requests/s that costs as much as the rest of a
statistics request: 38 us in the service and 36 (foreman) to 85 us (honcho) in the runner. Gathered for 0.1 s, a line
costs 20 and 13 to 22 us. `kill -9` loses the access lines of the last 0.1 s; all other lines are written at once.
"""

import asyncio
import logging
import os
import select
import time

ACCESS_LOGGER = "quintet.access"
PERIOD_S = 0.1
MAX_GATHERED = select.PIPE_BUF - 100
"""Bytes: with the notice of dropped lines, what one write passes on whole or not at all."""
WRITTEN_AT_ONCE = 20
"""Access lines of each period that are not gathered, so that a quiet log shows each request as it ends."""


class GatheringHandler(logging.Handler):
    """Writes to a non-blocking file descriptor. Access lines come from one event loop, others from any thread."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._fd = fd
        self._gathered = b""
        self._dropped = 0
        self._period_ends_at = 0.0
        self._left_at_once = 0
        """Access lines of this period that are still written at once."""

    def emit(self, record: logging.LogRecord) -> None:
        """Called by `handle`, which holds the handler's lock."""
        try:
            line = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
            if len(self._gathered) + len(line) > MAX_GATHERED:
                self.flush()
            is_first = not self._gathered
            self._gathered += line
            now = time.monotonic()
            if now >= self._period_ends_at:
                self._period_ends_at, self._left_at_once = now + PERIOD_S, WRITTEN_AT_ONCE
            self._left_at_once -= record.name == ACCESS_LOGGER
            if record.name != ACCESS_LOGGER or self._left_at_once >= 0:
                self.flush()
            elif is_first:
                asyncio.get_running_loop().call_later(PERIOD_S, self.flush)
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Writes what is gathered; also called at the end of the period, and when the server ends."""
        self.acquire()
        data, self._gathered = self._gathered, b""
        lines = data.count(b"\n")
        if lines and self._dropped:
            notice = f"WARNING: {self._dropped} lines of the log were dropped: they were not read in time.\n"
            data = notice.encode() + data
        try:
            while data:  # one write, which is atomic, except for a line above PIPE_BUF
                data = data[os.write(self._fd, data[: select.PIPE_BUF]) :]
            self._dropped = 0 if lines else self._dropped
        except OSError:  # the pipe is full, or has no reader
            self._dropped += lines
        finally:
            self.release()


def flush_log() -> None:
    """Writes what the handlers have gathered."""
    for handler in logging.getLogger().handlers:
        handler.flush()
