"""Malformed requests as raw bytes, to each service on its own port: refused with a problem response, without a logged
traceback, and the service keeps answering."""

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

from tests.support.all_services import PLAYERS, SERVICES, TODAY, Suite
from tests.support.apps import APPS, FRAMEWORK_PATHS
from tests.support.fuzz_cases import OPERATIONS, fuzzing
from tests.support.openapi_checks import FORM, JSON
from tests.support.problem_checks import assert_problem
from tests.support.raw_requests import Answer, get, send_raw
from tests.support.servers import serving
from tests.support.tokens import TokenKeys
from tests.support.valid_requests import VALID_VALUES, authorized_headers, make_body

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
BROKEN_BODIES = (
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
    b'"\xed\xa0\x80"',  # a lone surrogate as bytes
    b'"\\ud800"',  # a lone surrogate as a JSON escape
    b'{"\\udfff":"\\u0000"}',
    b"\xef\xbb\xbf{}",
    "{}".encode("utf-16"),
    b"--x\r\nContent-Disposition: form-data; name=username\r\n\r\nada\r\n--x--",
    b"--x\r\nContent-Disposition: form-data; name=username; filename=a\r\n\r\n\xff\r\n--x--\r\n--x",
    b"a=%00&b=%ff&=&&username=%ed%a0%80&password=%&grant_type",
    b"&" * 5_000,
    b"username=a&" * 2_000,
)
INVALID_VALUES = (
    b'"\\ud800"', b'"\\u0000"', b'"' + b"x" * 10_000 + b'"', b"9" * 4_000, b"-1", b"0", b"1e400", b"NaN", b"null",
    b"true", b"[]", b"{}", b"9223372036854775808", b"18446744073709551616", b"1e18", b"0.5",
    b'"9999-12-31T23:59:60Z"', b'"0001-01-01T00:00:00+23:59"', b'"2022-03-14T19:30:00Z[Mars/Phobos]"',
)  # fmt: skip
"""JSON values that are invalid in most fields."""


class Served(NamedTuple):
    suite: Suite
    ports: dict[str, int]


@pytest.fixture(scope="module")
def served(filled_databases: Path, tmp_path_factory: pytest.TempPathFactory, token_keys: TokenKeys) -> Iterator[Served]:
    """All services, each under a real uvicorn."""
    suite = Suite(shutil.copytree(filled_databases, tmp_path_factory.mktemp("raw") / "var"), token_keys)
    with ExitStack() as stack:
        urls = {name: stack.enter_context(serving(stack.enter_context(suite.app(name)))) for name in SERVICES}
        yield Served(suite, {name: httpx.URL(url).port or 0 for name, url in urls.items()})


@pytest.fixture(autouse=True)
def _assert_no_errors_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []


def check(answer: Answer) -> None:
    """Every error is a problem response, except uvicorn's own for malformed HTTP; nothing is a redirect or a 5xx."""
    assert answer.status < HTTPStatus.INTERNAL_SERVER_ERROR, answer
    if answer.status < HTTPStatus.BAD_REQUEST:
        assert answer.status < HTTPStatus.MULTIPLE_CHOICES, answer
        return
    if answer.body != b"Invalid HTTP request received.":
        assert_problem(httpx.Response(answer.status, headers=answer.headers, content=answer.body), answer.status)


def encode(fields: Mapping[str, object], *, is_form: bool) -> bytes:
    return (urlencode(fields) if is_form else json.dumps(fields)).encode()


def bodies(valid: Mapping[str, object], *, is_form: bool) -> st.SearchStrategy[bytes]:
    """Broken bodies, random bytes, and valid bodies with one value or a few bytes replaced."""

    def replace_value(name: str, value: bytes) -> bytes:
        return encode({**valid, name: "HERE"}, is_form=is_form).replace(b"HERE" if is_form else b'"HERE"', value)

    whole = encode(valid, is_form=is_form)
    place = st.integers(0, len(whole))
    with_invalid_value = st.builds(replace_value, st.sampled_from(sorted(valid)), st.sampled_from(INVALID_VALUES))
    with_replaced_bytes = st.builds(
        lambda start, end, new: whole[:start] + new + whole[end:], place, place, st.binary(max_size=9)
    )
    return st.sampled_from(BROKEN_BODIES) | st.binary(max_size=300) | with_invalid_value | with_replaced_bytes


def frame(body: bytes, *, chunk: int) -> bytes:
    """The end of a request: the body with its length, or in chunks of the given size."""
    if not chunk:
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    chunks = [body[start : start + chunk] for start in range(0, len(body), chunk)]
    return b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in [*chunks, b""])


@pytest.mark.parametrize("cases", [FEW, pytest.param(MANY, marks=pytest.mark.faults)])
@pytest.mark.parametrize(("service", "method", "path"), WITH_BODY)
def test_malformed_body_is_refused_without_5xx(
    served: Served, service: str, method: str, path: str, cases: int
) -> None:
    document = json.loads(json.dumps(APPS[service].openapi()))
    operation = document["paths"][path][method.lower()]
    valid = make_body(operation, document, VALID_VALUES) or {"nothing": "is wanted"}
    token = authorized_headers(served.suite, service, method, path).get("Authorization", "").encode()
    target = f"{method} {path.format_map(VALID_VALUES)} HTTP/1.1".encode()
    is_form = FORM in operation.get("requestBody", {}).get("content", {})
    matching = st.just((FORM if is_form else JSON).encode())

    @fuzzing(cases)
    @given(
        body=bodies(valid, is_form=is_form),
        media_type=matching | st.sampled_from(MEDIA_TYPES),
        chunk=st.sampled_from([0, 1, 1000]),
    )
    def send(body: bytes, media_type: bytes, chunk: int) -> None:
        head = (target, b"Host: localhost", b"Connection: close", b"Authorization: " + token)
        request = b"\r\n".join((*head, b"Content-Type: " + media_type, frame(body[:16384], chunk=chunk)))
        check(send_raw(served.ports[service], request))

    send()
    assert send_raw(served.ports[service], get(b"/health")).status == HTTPStatus.OK


PATHS = tuple(
    path.format_map(VALID_VALUES | {"user_id": PLAYERS[0], "game_id": TODAY}).encode()
    for path in (*(path for _, _, path in OPERATIONS), *sorted(FRAMEWORK_PATHS))
)
ESCAPED = st.binary(max_size=20).map(lambda data: b"".join(b"%%%02x" % byte for byte in data))
VISIBLE = st.binary(max_size=60).map(lambda data: bytes(byte for byte in data if byte > ord(" ") and byte != 127))
ANYTHING = st.binary(max_size=60).map(lambda data: data.replace(b"\n", b""))
SUFFIXES = st.just(b"") | ESCAPED | VISIBLE | ANYTHING
TARGETS = st.builds(
    lambda path, more, query, rest: path + more + query + rest,
    st.sampled_from((b"/", b"", b"*", b"//", b"/..", b"http://localhost/", *PATHS)),
    SUFFIXES,
    st.sampled_from((b"", b"?", b"?limit=", b"?username=", b"?after=%ed%a0%80&limit=" + b"9" * 5000, b"#", b"/%00?")),
    SUFFIXES,
)
HEADERS = st.lists(
    st.builds(
        lambda name, value: name + b": " + value,
        st.sampled_from((b"Authorization", b"Cookie", b"X-Forwarded-For", b"Accept", b"Range", b"X", b"X-Request-Id")),
        VISIBLE | VISIBLE.map(lambda data: b"Bearer " + data) | st.just(b"Bearer " + b"a." * 2000) | ANYTHING,
    ),
    max_size=3,
)
METHODS = st.sampled_from((b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"PATCH", b"TRACE"))
INVALID_METHODS = st.sampled_from((b"BREW", b"get", b"", b"G\xffT"))


@pytest.mark.parametrize("cases", [4 * FEW, pytest.param(4 * MANY, marks=pytest.mark.faults)])
@pytest.mark.parametrize("service", SERVICES)
def test_malformed_request_line_or_header_is_refused(served: Served, service: str, cases: int) -> None:
    @fuzzing(cases)
    @given(method=METHODS | METHODS | METHODS | INVALID_METHODS, target=TARGETS, headers=HEADERS)
    def send(method: bytes, target: bytes, headers: list[bytes]) -> None:
        lines = (method + b" " + target + b" HTTP/1.1", b"Host: localhost", b"Connection: close", *headers)
        answer = send_raw(served.ports[service], b"\r\n".join((*lines, b"", b"")))
        if method == b"HEAD":
            assert answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        else:
            check(answer)

    send()
    assert send_raw(served.ports[service], get(b"/health")).status == HTTPStatus.OK


CONTROL_CHARACTERS = (b"%00", b"%09", b"%0a", b"%0A", b"%0d", b"%0d%0a", b"%1f", b"%7f", b"%c2%80", b"%c2%85", b"\x7f")


@pytest.mark.parametrize("service", SERVICES)
def test_control_character_in_a_path_is_400(served: Served, service: str) -> None:
    """Otherwise a route would answer on a path that no rule of the proxy matches."""
    paths = {path.format_map(VALID_VALUES).encode() for name, _, path in OPERATIONS if name == service}
    for path in sorted(paths | {path.encode() for path in FRAMEWORK_PATHS}):
        for character in CONTROL_CHARACTERS:
            for target in (path + character, path + character + b"/", b"/" + character + path[1:]):
                for method in (b"GET", b"POST"):
                    answer = send_raw(served.ports[service], get(target).replace(b"GET", method, 1))
                    assert answer.status == HTTPStatus.BAD_REQUEST, target
                    check(answer)


@pytest.mark.parametrize("service", SERVICES)
def test_additional_slash_is_404_without_a_redirect(served: Served, service: str) -> None:
    """A redirect would contain the client's Host header, and make the client send a password again."""
    paths = {path.format_map(VALID_VALUES).encode() for name, _, path in OPERATIONS if name == service}
    for path in sorted(paths | {path.encode() for path in FRAMEWORK_PATHS}):
        for target in (path + b"/", b"/" + path):
            for method in (b"GET", b"POST", b"PUT"):
                answer = send_raw(served.ports[service], get(target).replace(b"GET", method, 1))
                assert answer.status == HTTPStatus.NOT_FOUND, target
                check(answer)


@pytest.mark.parametrize("service", SERVICES)
def test_huge_or_many_headers_are_refused_without_5xx(served: Served, service: str) -> None:
    for lines in ([b"X-Header: 1"] * 10_000, [b"X-Header: " + b"x" * 1_000_000], [b"Authorization: Bearer"] * 1_000):
        check(send_raw(served.ports[service], get(b"/health", *lines)))
    assert send_raw(served.ports[service], get(b"/health")).status == HTTPStatus.OK
