"""What every request needs and no route should know of."""

from starlette.types import ASGIApp, Receive, Scope, Send


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
