"""Rate limits cannot be bypassed by other spellings of a request, or by other addresses of an IPv6 /64."""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http import HTTPStatus
from itertools import count, product

import httpx
import pytest

from servicekit.auth.tokens import Scope
from tests.support.live import make_population, token_headers
from tests.support.openapi_checks import list_operations
from tests.support.raw_requests import Answer, send_raw
from tests.support.valid_requests import VALID_VALUES
from tools.process.stack import Stack, copy_project, running_stack

IN_FLIGHT = 3
LIMITS = {
    "REGISTRATIONS_PER_MINUTE": "3",
    "REFRESHES_PER_MINUTE": "3",
    "GUESSES_PER_MINUTE": "3",
    "REQUESTS_IN_FLIGHT": str(IN_FLIGHT),
}
BURSTS = {"registrations": 3, "tokens": 10, "refreshes": 3, "guesses": 3}
"""The burst of each limit; that of tokens is the default."""
OWN_LIMITS = {
    ("POST", "/api/users"): "registrations",
    ("POST", "/api/users/session/token"): "refreshes",
    ("DELETE", "/api/users/session"): "refreshes",
}
"""The requests to users with a limit of their own."""
REFILL_INTERVAL_S = 2
"""The fastest bucket, that of the limit on tokens, refills by one in this time."""
BUCKET_LIFETIME_S = 3
"""Traefik drops the bucket of an idle address after this time: with 30 a minute, 1 s and a thirtieth of a minute."""
REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
"""Statuses of requests that reach no endpoint."""
SLOW = b"PUT /api/words/zzzzz"
numbers = count(1)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A suite whose Traefik trusts what a proxy on this machine says: by the PROXY protocol, in which tests choose the
    client's address, and without it by X-Forwarded-Proto."""
    root = tmp_path_factory.mktemp("bypass")
    copy_project(root)
    static = (root / "traefik.toml").read_text(encoding="utf-8")
    entry_point = "[entryPoints.web]\n"
    trusted = 'trustedIPs = ["127.0.0.1/32"]'
    trusting = f"{entry_point}proxyProtocol.{trusted}\nforwardedHeaders.{trusted}\n"
    (root / "traefik.toml").write_text(static.replace(entry_point, trusting), encoding="utf-8")
    make_population(root)
    with running_stack(root, runner="honcho", environment=LIMITS) as running:
        yield running


def new_address() -> str:
    """An IPv4 address that no test has used."""
    number = next(numbers)
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def send(stack: Stack, address: str, request: bytes, *lines: bytes) -> Answer:
    """Sends a request with an empty JSON object from an address; the request line may omit the HTTP version."""
    family = "TCP6" if ":" in address else "TCP4"
    head = (
        f"PROXY {family} {address} {address} 50000 9999".encode(),
        request if request.endswith(b" HTTP/1.0") else request + b" HTTP/1.1",
        b"Host: localhost",
        b"Connection: close",
        b"Content-Type: application/json",
        b"Content-Length: 2",
        *lines,
    )
    return send_raw(stack.layout.web_port, b"\r\n".join((*head, b"", b"{}")))


def list_limited(stack: Stack) -> list[tuple[str, str, str]]:
    """Limit, method and path of each operation with a rate limit, from the OpenAPI documents."""
    limited = []
    for service in ("users", "games"):
        document = httpx.get(f"{stack.url}/api/{service}/openapi.json").json()
        for method, template, _ in list_operations(document):
            path = f"/api/{service}{template.format_map(VALID_VALUES | {'game_id': 1})}".rstrip("/")
            if service == "users" and method not in {"GET", "HEAD"}:
                limited.append((OWN_LIMITS.get((method, path), "tokens"), method, path))
            if service == "games" and method == "POST":
                limited.append(("guesses", method, path))
    return limited


def list_targets(path: str) -> Iterator[str]:
    """Request targets that might be routed like a path."""
    service = path.split("/")[2]
    prefix = f"/api/{service}"
    rest = path.removeprefix(prefix)
    yield from (path, f"{path}/", f"{path}//", f"{path}/.", f"{path}/x/..", f"{path}/%2e", f"{path}.", f"{path}%2e")
    yield from (f"{prefix}{path}", f"{prefix}{prefix}{path}", f"{prefix}/{path}", f"/api/words{path}", f"/api{path}")
    for character in ("%0a", "%0A", "%0d", "%0d%0a", "%09", "%00", "%20", "%7f", "%c2%85", "%ff", "%e2%80%a8"):
        yield from (f"{path}{character}", f"{path}{character}/", f"{prefix}{character}{rest}", f"{prefix}/{character}")
        yield f"{prefix}/{character}{rest}"
    yield from (path.upper(), path.title(), path.replace(service, service.title()))
    yield from (f"/{path}", f"//{path}", path.replace("/api/", "/api//"), f"{prefix}/{rest}", path.replace("/", "//"))
    for dots in (".", "%2e", "%2E", "x/..", "x/%2e%2e", "x/.%2E", "x/%252e%252e"):
        yield from (f"/{dots}{path}", f"/api/{dots}/{service}{rest}", f"{prefix}/{dots}{rest}", f"{path}/{dots}")
    yield from (f"/api/words/..{path.removeprefix('/api')}", f"/api/words/%2e%2e{path.removeprefix('/api')}")
    yield from (f"{prefix}/../{service}{rest}", f"{prefix}/%2e%2e/{service}{rest}")
    yield path.replace(service, f"%{ord(service[0]):02x}{service[1:]}")
    yield "".join(f"%{ord(letter):02X}" if letter != "/" else letter for letter in path)
    yield path[:-1] + f"%{ord(path[-1]):02x}"
    yield path[:-1] + f"%25{ord(path[-1]):02x}"
    for separator in ("%2f", "%2F", "%5c", "\\", "%252f", "%c0%af"):
        yield from (f"{prefix}{rest.replace('/', separator)}", f"/api{separator}{service}{rest}", f"{path}{separator}")
    for parameter in (
        ";x",
        ";",
        "%3b",
        "?x",
        "?",
        "?/../x",
        "%3f",
        "#x",
        "%23",
        "??",
        "?x#y",
        "&x",
        "+",
        "*",
        "%2a",
        ",",
    ):
        yield from (f"{path}{parameter}", f"{prefix}{parameter}{rest}")
    for origin in (
        "http://localhost",
        "http://evil.example",
        "HTTP://LOCALHOST:80",
        "https://localhost:1",
        "http://a@b",
    ):
        yield f"{origin}{path}"
    yield path.removeprefix("/")


def list_lines(path: str) -> Iterator[tuple[bytes, ...]]:
    """Headers that might override the path, method or address of a request."""
    prefix = "/".join(path.split("/")[:3])
    yield ()
    yield from ((f"{name}: {prefix}".encode(),) for name in ("X-Forwarded-Prefix", "X_Forwarded_Prefix"))
    yield (b"Connection: close, X-Forwarded-Prefix",)
    yield from ((f"{name}: {path}".encode(),) for name in ("X-Replaced-Path", "X-Original-URL", "X-Rewrite-URL"))
    yield from ((name + b": 192.0.2.7",) for name in (b"X-Forwarded-For", b"X-Real-Ip", b"True-Client-Ip"))
    yield (b"Forwarded: for=192.0.2.7",)
    yield (b"X-HTTP-Method-Override: GET",)


def list_spellings(method: str, path: str) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
    """Yields request lines (method and target) and headers."""
    targets = dict.fromkeys(list_targets(path))
    yield from ((f"{method} {target}".encode(), ()) for target in targets)
    prefix = "/".join(path.split("/")[:3])
    for target, lines in product((path, f"{prefix}{path}"), list_lines(path)):
        yield f"{method} {target}".encode(), lines
    yield from ((f"{method.lower()} {path}".encode(), ()), (f"{method} {path} HTTP/1.0".encode(), ()))
    yield f"GET {path}".encode(), (f"X-HTTP-Method-Override: {method}".encode(),)


def reaches_endpoint(answer: Answer) -> bool:
    return answer.status not in REFUSED and answer.status != HTTPStatus.TOO_MANY_REQUESTS


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.faults)], ids=["one", "every"])
def test_no_spelling_of_a_request_exceeds_its_limit(stack: Stack, every: bool) -> None:
    """Sends more requests than the limit allows of each spelling, each from a new address: for one operation of each
    limit, or for all of them."""
    limited = list_limited(stack)
    assert {limit for limit, _, _ in limited} == set(BURSTS)
    one_of_each = list({limit: (limit, method, path) for limit, method, path in limited}.values())
    for limit, method, path in limited if every else one_of_each:
        most = BURSTS[limit]
        passed: dict[bytes, int] = {}
        for request, lines in list_spellings(method, path):
            if request.startswith(b"GET"):  # a read, which has no limit: methods cannot be overridden
                continue
            address = new_address()
            answers = [send(stack, address, request, *lines) for _ in range(most + 2)]
            passed[b"; ".join((request, *lines))] = sum(map(reaches_endpoint, answers))
        assert passed[f"{method} {path}".encode()] == most
        assert {spelling: number for spelling, number in passed.items() if number > most} == {}
        assert sum(number > 0 for number in passed.values()) > 20, "hardly any spelling reaches its endpoint"


def test_no_spelling_passes_once_the_limit_is_used_up(stack: Stack) -> None:
    limited = list_limited(stack)
    for _, method, path in limited:
        address = new_address()
        for limit, other_method, other_path in limited:
            for _ in range(BURSTS[limit]):
                send(stack, address, f"{other_method} {other_path}".encode())
        began = time.monotonic()
        passed = [
            (request, lines)
            for request, lines in list_spellings(method, path)
            if not request.startswith(b"GET") and reaches_endpoint(send(stack, address, request, *lines))
        ]
        refilled = (time.monotonic() - began) / REFILL_INTERVAL_S + 1
        assert len(passed) <= refilled, passed


def test_method_override_header_is_ignored(stack: Stack) -> None:
    for _, method, path in list_limited(stack):
        overridden = send(stack, new_address(), f"GET {path}".encode(), f"X-HTTP-Method-Override: {method}".encode())
        assert overridden.status == send(stack, new_address(), f"GET {path}".encode()).status


@pytest.mark.parametrize(
    "path", [b"/api/words/lookups", b"/api/stats/users/5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11/games"]
)
def test_endpoints_called_by_games_have_no_rate_limit(stack: Stack, path: bytes) -> None:
    address = new_address()
    assert HTTPStatus.TOO_MANY_REQUESTS not in {send(stack, address, b"POST " + path).status for _ in range(30)}


def test_reads_have_no_rate_limit(stack: Stack) -> None:
    address = new_address()
    assert {send(stack, address, b"GET /api/users").status for _ in range(30)} == {HTTPStatus.OK}


@pytest.mark.parametrize(
    ("limit", "request_line"),
    [
        ("registrations", b"POST /api/users"),
        ("tokens", b"POST /api/users/token"),
        ("guesses", b"POST /api/games/1/check"),
    ],
)
def test_addresses_of_one_ipv6_64_share_a_rate_limit(stack: Stack, limit: str, request_line: bytes) -> None:
    network = next(numbers)
    most = BURSTS[limit]

    def count_passed(*addresses: str) -> int:
        return sum(reaches_endpoint(send(stack, address, request_line)) for address in addresses)

    household = [f"2001:db8:{network:x}:7:{number:x}::{number:x}" for number in range(1, most + 4)]
    assert count_passed(*household) == most
    others = [f"2001:db8:{network:x}:{number:x}::1" for number in range(16, 16 + most + 4)]
    assert count_passed(*others) == len(others)
    same_number = [f"2001:db8:{network:x}:8::1"] * (most + 2)
    assert count_passed(*same_number) == most


def test_each_ipv4_address_has_its_own_rate_limit(stack: Stack) -> None:
    requests = [send(stack, new_address(), b"POST /api/users") for _ in range(BURSTS["registrations"] + 3)]
    assert all(map(reaches_endpoint, requests))


@pytest.mark.parametrize("addresses", ["2001:db8:ffff:1::{}", "10.255.255.1"])
def test_addresses_of_one_ipv6_64_share_the_in_flight_limit(stack: Stack, addresses: str) -> None:
    """Sends writes that wait for a lock; those of another network are limited separately."""
    token = token_headers(stack, Scope.ADMIN)["Authorization"]
    others = "2001:db8:ffff:2::{}"

    def write_from(address: str) -> int:
        return send(stack, address, SLOW, f"Authorization: {token}".encode()).status

    sent = [addresses.format(number) for number in range(1, IN_FLIGHT + 3)]
    with closing(sqlite3.connect(stack.root / "var" / "words.db", isolation_level=None)) as words:
        words.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(2 * IN_FLIGHT + 2) as pool:
            statuses = Counter(pool.map(write_from, [*sent, *(others.format(n) for n in range(1, IN_FLIGHT + 1))]))
    assert statuses == {HTTPStatus.TOO_MANY_REQUESTS: 2, HTTPStatus.SERVICE_UNAVAILABLE: 2 * IN_FLIGHT}


def test_idle_address_gets_its_burst_again(stack: Stack) -> None:
    """Traefik drops the buckets of idle addresses, which is why the bursts in routes.toml are small."""
    address = new_address()

    def send_burst() -> int:
        return sum(reaches_endpoint(send(stack, address, b"POST /api/users/token")) for _ in range(13))

    assert send_burst() == BURSTS["tokens"]
    time.sleep(BUCKET_LIFETIME_S)  # polling would keep the bucket alive
    assert send_burst() == BURSTS["tokens"]


@pytest.mark.parametrize(("address", "is_secure"), [("127.0.0.1", True), ("10.255.255.2", False)])
def test_scheme_is_believed_of_a_trusted_proxy_only(stack: Stack, address: str, is_secure: bool) -> None:
    """The cookie of a session is Secure where a proxy in front of Traefik ends TLS, and tells Traefik."""
    lines = (b"Sec-Fetch-Site: same-origin", b"X-Forwarded-Proto: https")
    answer = send(stack, address, b"DELETE /api/users/session", *lines)
    assert answer.status == HTTPStatus.NO_CONTENT
    assert ("Secure" in answer.headers["set-cookie"].split("; ")) == is_secure
