"""What may happen between two services, put in front of a real one: replies that are lost, late, or somebody else's."""

import asyncio
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Network:
    """Lets requests through to an app, and does to them what a test says.

    It counts them: `requests` that arrived, by method.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.requests: list[str] = []
        """Method and path of each."""
        self.lose_replies = 0
        """Of so many requests the app does what they ask, and nobody is told."""
        self.delay_s = 0.0
        """Before the app gets a request."""
        self.instead: Callable[[str], Response | None] = lambda _path: None
        """What answers in the app's place, by the path."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self.requests.append(f"{scope['method']} {scope['path']}")
        await asyncio.sleep(self.delay_s)
        if (response := self.instead(scope["path"])) is not None:
            await response(scope, receive, send)
        elif self.lose_replies > 0:
            self.lose_replies -= 1
            await self._app(scope, receive, ignore)
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            await self._app(scope, receive, send)


async def ignore(_message: Message) -> None:
    pass
