import json
import sys
import threading
from collections.abc import Iterator
from types import CodeType

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from games.rules.colours import colour_guess
from servicekit.clock import read_clock
from tools.bench.traced_service import TRACE_PATH, CallRecorder, TracedApp, is_in_request, name_function
from tools.config.paths import ROOT

COLOUR_GUESS = ("games/rules/colours.py", "colour_guess")
READ_CLOCK = ("servicekit/clock.py", "read_clock")


@pytest.fixture
def recorder() -> Iterator[CallRecorder]:
    recorder = CallRecorder(ROOT)
    recorder.install()
    yield recorder
    sys.setprofile(None)
    threading.setprofile(None)


def test_function_is_named_by_file_and_qualified_name() -> None:
    assert name_function(colour_guess.__code__, ROOT) == COLOUR_GUESS


def test_comprehensions_and_code_of_others_have_no_name() -> None:
    comprehensions = [const for const in colour_guess.__code__.co_consts if isinstance(const, CodeType)]
    assert comprehensions
    others = [json.dumps.__code__, name_function.__code__, *comprehensions]
    assert [name_function(code, ROOT) for code in others] == [None] * len(others)


def test_calls_outside_of_requests_are_not_recorded(recorder: CallRecorder) -> None:
    colour_guess("crane", "crane")
    assert recorder.take() == []


def test_calls_in_requests_are_recorded_once_until_taken(recorder: CallRecorder) -> None:
    token = is_in_request.set(True)
    colour_guess("crane", "crane")
    colour_guess("slate", "crane")
    is_in_request.reset(token)
    assert recorder.take() == [COLOUR_GUESS]
    assert recorder.take() == []


def test_all_calls_in_other_threads_are_recorded(recorder: CallRecorder) -> None:
    thread = threading.Thread(target=read_clock)
    thread.start()
    thread.join()
    assert recorder.take() == [READ_CLOCK]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    read_clock()
    await PlainTextResponse("fine")(scope, receive, send)


@pytest.mark.anyio
async def test_app_records_requests_but_no_health_checks(recorder: CallRecorder) -> None:
    transport = httpx.ASGITransport(TracedApp(app, recorder), root_path="/api/stats")
    async with httpx.AsyncClient(transport=transport, base_url="http://stats/api/stats") as client:
        assert (await client.get("/live")).text == "fine"
        assert (await client.get(TRACE_PATH)).json() == []
        assert (await client.get("/users/1")).text == "fine"
        assert (await client.get(TRACE_PATH)).json() == [list(READ_CLOCK)]
