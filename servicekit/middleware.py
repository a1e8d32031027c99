"""Two things that every response needs and no route should know of."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class ServedBy:
    """Puts `X-Served-By: stats.2` on every response, so that anyone can watch the load being balanced."""

    def __init__(self, app: ASGIApp, instance: str) -> None:
        self._app = app
        self._instance = instance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_name(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Served-By"] = self._instance
            await send(message)

        await self._app(scope, receive, send_with_name if scope["type"] == "http" else send)


class OwnPrefix:
    """Lets a service that is reached on its own port answer under its public prefix too.

    Traefik strips `/api/stats` and uvicorn, told `--root-path /api/stats`, puts it before every path again. Links
    that a service gives out (Swagger's `/api/stats/openapi.json`, Location) have the prefix once; followed on the
    service's own port, past Traefik, they arrive here with the prefix twice.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root_path: str = scope.get("root_path", "")
        if root_path:
            path = scope["path"].removeprefix(root_path)
            if path == root_path:
                scope["path"] = f"{path}/"
            elif path.startswith(f"{root_path}/"):
                scope["path"] = path
        await self._app(scope, receive, send)
