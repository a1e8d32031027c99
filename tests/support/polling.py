"""Waiting for a condition, or for tasks, instead of sleeping a fixed time."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 20.0
POLL_S = 0.02


def wait_until(holds: Callable[[], object], *, timeout_s: float = PATIENCE_S) -> float:
    """Waits until a condition holds and returns the seconds it took; fails after the timeout."""
    began_at = time.monotonic()
    while not holds():
        assert time.monotonic() - began_at < timeout_s, f"it took more than {timeout_s} s"
        time.sleep(POLL_S)
    return time.monotonic() - began_at


async def run_ready_tasks() -> None:
    """Lets the other tasks of the event loop run until they wait, for ten steps at most."""
    for _ in range(10):
        await asyncio.sleep(0)
