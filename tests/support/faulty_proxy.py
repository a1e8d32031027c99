"""A proxy in front of a real service that drops, delays or replaces responses."""

import asyncio
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class FaultyProxy:
    """Passes requests on to an app, with the faults that a test sets."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.requests: list[str] = []
        """Method and path of each request that arrived."""
        self.drop_responses = 0
        """For this many requests the app runs, but its response is dropped."""
        self.delay_s = 0.0
        """Delay before a request is passed on."""
        self.override: Callable[[str], Response | None] = lambda _path: None
        """Returns a response to send in place of the app's, by path; None passes the request on."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self.requests.append(f"{scope['method']} {scope['path']}")
        await asyncio.sleep(self.delay_s)
        if (response := self.override(scope["path"])) is not None:
            await response(scope, receive, send)
        elif self.drop_responses > 0:
            self.drop_responses -= 1
            await self._app(scope, receive, discard)
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            await self._app(scope, receive, send)


async def discard(_message: Message) -> None:
    pass
