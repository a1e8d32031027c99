"""bin/serve for bin/trace: a service that records which of the project's functions its requests enter.

`GET /trace` on the service's own port returns the functions entered since it was last asked, as [file, function] pairs.
"""

import importlib
import sys
import threading
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path
from types import CodeType, FrameType

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from servicekit import server
from servicekit.observability.middleware import QUIET
from tools.config.paths import ROOT

TRACE_PATH = "/trace"
FACTORY = "create_app_from_environment"
TRACED_PACKAGES = {"users", "words", "games", "stats", "servicekit"}

is_in_request: ContextVar[bool] = ContextVar("is_in_request", default=False)
"""Inherited by the tasks that a request creates; health checks and uvicorn's own callbacks are outside."""


def name_function(code: CodeType, root: Path) -> tuple[str, str] | None:
    """File, relative to the root, and qualified name of one of the project's functions; None for other code, and for
    comprehensions, which are functions of their own before Python 3.12 only."""
    path = Path(code.co_filename)
    if not path.is_relative_to(root) or code.co_name in {
        "<module>",
        "<listcomp>",
        "<setcomp>",
        "<dictcomp>",
        "<genexpr>",
    }:
        return None
    file = path.relative_to(root)
    return (file.as_posix(), code.co_qualname) if file.parts[0] in TRACED_PACKAGES else None


class CallRecorder:
    """A profile function: of the event loop's thread it records calls made for a request, of other threads all calls,
    since they only do what requests hand to them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._entered: set[CodeType] = set()
        self._loop_thread = threading.get_ident()

    def install(self) -> None:
        """In this thread and in all that are started from now on."""
        threading.setprofile(self._record)
        sys.setprofile(self._record)

    def _record(self, frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and (threading.get_ident() != self._loop_thread or is_in_request.get()):
            self._entered.add(frame.f_code)

    def take(self) -> list[tuple[str, str]]:
        """The functions entered since the last call."""
        entered, self._entered = self._entered, set()
        return sorted({name for code in entered if (name := name_function(code, self._root)) is not None})


class TracedApp:
    """Middleware outside of all others: records requests, apart from those of machines, and answers TRACE_PATH."""

    def __init__(self, app: ASGIApp, recorder: CallRecorder) -> None:
        self._app = app
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope["root_path"]) if scope["type"] == "http" else ""
        if path == TRACE_PATH:
            await JSONResponse(self._recorder.take())(scope, receive, send)
            return
        is_in_request.set(scope["type"] == "http" and path not in QUIET)  # uvicorn runs each request in its own task
        await self._app(scope, receive, send)


def main(argv: Sequence[str] | None = None) -> None:
    """The arguments are those of bin/serve."""
    arguments = sys.argv[1:] if argv is None else argv
    module = importlib.import_module(f"{arguments[0]}.app")
    create_app = getattr(module, FACTORY)

    def create_traced_app() -> TracedApp:
        recorder = CallRecorder(ROOT)
        app = TracedApp(create_app(), recorder)
        recorder.install()  # after the imports, which it would slow down, and before any thread is started
        return app

    setattr(module, FACTORY, create_traced_app)
    server.main(arguments)


if __name__ == "__main__":
    main()
