"""Bytes that no HTTP client would send, to each service on its own port: whatever they are, it refuses them in a
sentence, logs no trace, and goes on answering."""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import locate
from tests.fuzz.test_methods import RESERVED
from tests.support.all_services import PLAYERS, SERVICES, TODAY, Suite
from tests.support.fuzz_cases import OPERATIONS, fuzzing
from tests.support.openapi_checks import FORM, JSON
from tests.support.problem_checks import assert_problem
from tests.support.raw_requests import Answer, ask, get
from tests.support.servers import serving
from tests.support.tokens import TokenKeys
from tests.support.valid_requests import GOOD, fitting_headers, make_body
from tests.test_openapi import APPS

FEW, MANY = 50, 150
WITH_BODY = [operation for operation in OPERATIONS if operation[1] in {"POST", "PUT"}]

MEDIA_TYPES = (
    b"application/json",
    b"application/json; charset=utf-16",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data",
    b"multipart/form-data; boundary=x",
    b"text/plain",
    b"\xff/*; q",
    b"",
)
NOT_JSON = (
    b"",
    b"{",
    b"\0",
    b"nul",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 10_000,
    b"0." + b"3" * 10_000,
    b"[" * 10_000,
    b'{"a":' * 5_000,
    b"[" * 5_000 + b"]" * 5_000,
    b'"\xed\xa0\x80"',  # half of a surrogate pair, as bytes
    b'"\\ud800"',  # and as JSON may have it
    b'{"\\udfff":"\\u0000"}',
    b"\xef\xbb\xbf{}",
    "{}".encode("utf-16"),
    b"--x\r\nContent-Disposition: form-data; name=username\r\n\r\nada\r\n--x--",
    b"--x\r\nContent-Disposition: form-data; name=username; filename=a\r\n\r\n\xff\r\n--x--\r\n--x",
    b"a=%00&b=%ff&=&&username=%ed%a0%80&password=%&grant_type",
    b"&" * 5_000,
    b"username=a&" * 2_000,
)
MEANINGLESS = (
    b'"\\ud800"', b'"\\u0000"', b'"' + b"x" * 10_000 + b'"', b"9" * 4_000, b"-1", b"0", b"1e400", b"NaN", b"null",
    b"true", b"[]", b"{}", b"9223372036854775808", b"18446744073709551616", b"1e18", b"0.5",
    b'"9999-12-31T23:59:60Z"', b'"0001-01-01T00:00:00+23:59"', b'"2022-03-14T19:30:00Z[Mars/Phobos]"',
)  # fmt: skip
"""Values that a field of any type may be found to have."""


class Served(NamedTuple):
    suite: Suite
    ports: dict[str, int]


@pytest.fixture(scope="module")
def served(empty_databases: Path, tmp_path_factory: pytest.TempPathFactory, token_keys: TokenKeys) -> Iterator[Served]:
    """All services, each behind a real uvicorn."""
    suite = Suite(locate(shutil.copytree(empty_databases, tmp_path_factory.mktemp("raw") / "var")), token_keys)
    suite.fill()
    with ExitStack() as stack:
        urls = {name: stack.enter_context(serving(stack.enter_context(suite.app(name)))) for name in SERVICES}
        yield Served(suite, {name: httpx.URL(url).port or 0 for name, url in urls.items()})


@pytest.fixture(autouse=True)
def _no_trace(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []


def check(answer: Answer) -> None:
    """Every error is a problem, except what uvicorn refuses because it is no HTTP; nothing is a redirect."""
    assert answer.status < HTTPStatus.INTERNAL_SERVER_ERROR, answer
    if answer.status < HTTPStatus.BAD_REQUEST:
        assert answer.status < HTTPStatus.MULTIPLE_CHOICES, answer
        return
    if answer.body != b"Invalid HTTP request received.":
        assert_problem(httpx.Response(answer.status, headers=answer.headers, content=answer.body), answer.status)


def encode(fields: Mapping[str, object], *, is_form: bool) -> bytes:
    return (urlencode(fields) if is_form else json.dumps(fields)).encode()


def bodies(good: Mapping[str, object], *, is_form: bool) -> st.SearchStrategy[bytes]:
    """No JSON and no form; anything; what would be good but for one value or for a few bytes."""

    def spoil(name: str, value: bytes) -> bytes:
        return encode({**good, name: "HERE"}, is_form=is_form).replace(b"HERE" if is_form else b'"HERE"', value)

    whole = encode(good, is_form=is_form)
    place = st.integers(0, len(whole))
    spoilt = st.builds(spoil, st.sampled_from(sorted(good)), st.sampled_from(MEANINGLESS))
    cut = st.builds(lambda start, end, new: whole[:start] + new + whole[end:], place, place, st.binary(max_size=9))
    return st.sampled_from(NOT_JSON) | st.binary(max_size=300) | spoilt | cut


def frame(body: bytes, *, chunk: int) -> bytes:
    """The end of a request: its length, or its chunks of so many bytes."""
    if not chunk:
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    chunks = [body[start : start + chunk] for start in range(0, len(body), chunk)]
    return b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in [*chunks, b""])


@pytest.mark.parametrize("cases", [FEW, pytest.param(MANY, marks=pytest.mark.faults)])
@pytest.mark.parametrize(("service", "method", "path"), WITH_BODY)
def test_no_body_is_too_much_for_a_service(served: Served, service: str, method: str, path: str, cases: int) -> None:
    document = json.loads(json.dumps(APPS[service].openapi()))
    operation = document["paths"][path][method.lower()]
    good = make_body(operation, document, GOOD) or {"nothing": "is wanted"}
    token = fitting_headers(served.suite, service, method, path).get("Authorization", "").encode()
    target = f"{method} {path.format_map(GOOD)} HTTP/1.1".encode()
    is_form = FORM in operation.get("requestBody", {}).get("content", {})
    fitting = st.just((FORM if is_form else JSON).encode())

    @fuzzing(cases)
    @given(
        body=bodies(good, is_form=is_form),
        media_type=fitting | st.sampled_from(MEDIA_TYPES),
        chunk=st.sampled_from([0, 1, 1000]),
    )
    def send(body: bytes, media_type: bytes, chunk: int) -> None:
        head = (target, b"Host: localhost", b"Connection: close", b"Authorization: " + token)
        request = b"\r\n".join((*head, b"Content-Type: " + media_type, frame(body[:16384], chunk=chunk)))
        check(ask(served.ports[service], request))

    send()
    assert ask(served.ports[service], get(b"/health")).status == HTTPStatus.OK


PATHS = tuple(
    path.format_map(GOOD | {"user_id": PLAYERS[0], "game_id": TODAY}).encode()
    for path in (*(path for _, _, path in OPERATIONS), *sorted(RESERVED))
)
ESCAPED = st.binary(max_size=20).map(lambda some: b"".join(b"%%%02x" % byte for byte in some))
VISIBLE = st.binary(max_size=60).map(lambda some: bytes(byte for byte in some if byte > ord(" ") and byte != 127))
ANYTHING = st.binary(max_size=60).map(lambda some: some.replace(b"\n", b""))
MORE = st.just(b"") | ESCAPED | VISIBLE | ANYTHING
TARGETS = st.builds(
    lambda path, more, query, rest: path + more + query + rest,
    st.sampled_from((b"/", b"", b"*", b"//", b"/..", b"http://localhost/", *PATHS)),
    MORE,
    st.sampled_from((b"", b"?", b"?limit=", b"?username=", b"?after=%ed%a0%80&limit=" + b"9" * 5000, b"#", b"/%00?")),
    MORE,
)
HEADERS = st.lists(
    st.builds(
        lambda name, value: name + b": " + value,
        st.sampled_from((b"Authorization", b"Cookie", b"X-Forwarded-For", b"Accept", b"Range", b"X", b"X-Request-Id")),
        VISIBLE | VISIBLE.map(lambda some: b"Bearer " + some) | st.just(b"Bearer " + b"a." * 2000) | ANYTHING,
    ),
    max_size=3,
)
METHODS = st.sampled_from((b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"PATCH", b"TRACE"))
NO_METHODS = st.sampled_from((b"BREW", b"get", b"", b"G\xffT"))


@pytest.mark.parametrize("cases", [4 * FEW, pytest.param(4 * MANY, marks=pytest.mark.faults)])
@pytest.mark.parametrize("service", SERVICES)
def test_no_line_is_too_much_for_a_service(served: Served, service: str, cases: int) -> None:
    @fuzzing(cases)
    @given(method=METHODS | METHODS | METHODS | NO_METHODS, target=TARGETS, headers=HEADERS)
    def send(method: bytes, target: bytes, headers: list[bytes]) -> None:
        lines = (method + b" " + target + b" HTTP/1.1", b"Host: localhost", b"Connection: close", *headers)
        answer = ask(served.ports[service], b"\r\n".join((*lines, b"", b"")))
        if method == b"HEAD":
            assert answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        else:
            check(answer)

    send()
    assert ask(served.ports[service], get(b"/health")).status == HTTPStatus.OK


CONTROL_CHARACTERS = (b"%00", b"%09", b"%0a", b"%0A", b"%0d", b"%0d%0a", b"%1f", b"%7f", b"%c2%80", b"%c2%85", b"\x7f")


@pytest.mark.parametrize("service", SERVICES)
def test_a_control_character_anywhere_in_a_path_is_400(served: Served, service: str) -> None:
    """Where it reached a route, the route would answer to a path that no rule of a proxy knows."""
    paths = {path.format_map(GOOD).encode() for name, _, path in OPERATIONS if name == service}
    for path in sorted(paths | {path.encode() for path in RESERVED}):
        for character in CONTROL_CHARACTERS:
            for target in (path + character, path + character + b"/", b"/" + character + path[1:]):
                for method in (b"GET", b"POST"):
                    answer = ask(served.ports[service], get(target).replace(b"GET", method, 1))
                    assert answer.status == HTTPStatus.BAD_REQUEST, target
                    check(answer)


@pytest.mark.parametrize("service", SERVICES)
def test_a_slash_too_many_is_404_and_no_redirect(served: Served, service: str) -> None:
    """A redirect would name the host that the client named, and have a password sent a second time."""
    paths = {path.format_map(GOOD).encode() for name, _, path in OPERATIONS if name == service}
    for path in sorted(paths | {path.encode() for path in RESERVED}):
        for target in (path + b"/", b"/" + path):
            for method in (b"GET", b"POST", b"PUT"):
                answer = ask(served.ports[service], get(target).replace(b"GET", method, 1))
                assert answer.status == HTTPStatus.NOT_FOUND, target
                check(answer)


@pytest.mark.parametrize("service", SERVICES)
def test_neither_are_ten_thousand_headers_or_a_huge_one(served: Served, service: str) -> None:
    for lines in ([b"X-Header: 1"] * 10_000, [b"X-Header: " + b"x" * 1_000_000], [b"Authorization: Bearer"] * 1_000):
        check(ask(served.ports[service], get(b"/health", *lines)))
    assert ask(served.ports[service], get(b"/health")).status == HTTPStatus.OK
