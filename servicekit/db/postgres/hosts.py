"""Connecting to a replicated server, of whose hosts one takes writes.

asyncpg tries one host after the other within one time limit. A frozen machine accepts a connection and then says
nothing, so that behind it no other host would be tried. Here all are asked at the same time.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import asyncpg
from asyncpg.exceptions import TargetServerAttributeNotMatched

RawConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


def split_hosts(url: str) -> list[str]:
    """The URL once for each host that it names."""
    parts = urlsplit(url)
    account, at, hosts = parts.netloc.rpartition("@")
    return [parts._replace(netloc=f"{account}{at}{host}").geturl() for host in hosts.split(",")]


async def connect(url: str, *, session: str = "read-write", **options: Any) -> RawConnection:  # noqa: ANN401 - asyncpg's own
    """A connection to the first host that answers and has a session of this kind: one that takes writes, or `any`.
    Raises the error of a host that has none for another reason than being a standby, if there is one.

    The other attempts end by themselves, also when the task is cancelled: asyncpg would log an error for a cancelled
    one.
    """
    attempts = [
        asyncio.create_task(asyncpg.connect(host, target_session_attrs=session, **options)) for host in split_hosts(url)
    ]
    waiting = set(attempts)
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for attempt in done:
                if attempt.exception() is None:
                    attempts.remove(attempt)
                    return attempt.result()
        raise choose_error(attempt.exception() for attempt in attempts)
    finally:
        for attempt in attempts:
            attempt.add_done_callback(discard)


def choose_error(errors: Iterable[BaseException | None]) -> BaseException:
    """That of a standby says the least."""
    return min(filter(None, errors), key=lambda error: isinstance(error, TargetServerAttributeNotMatched))


def discard(attempt: asyncio.Task[RawConnection]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().terminate()
