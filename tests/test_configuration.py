"""Procfile, .foreman, traefik.toml, routes.toml and the services' defaults agree on who listens where."""

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import games.settings
import stats.settings
import users.settings
from servicekit.listening import HOST
from servicekit.server import DRAIN_S, GRACE_S
from tools.process.layout import read_layout
from tools.process.traefik import read_servers

ROOT = Path(__file__).resolve().parent.parent
LAYOUT = read_layout(ROOT)
UVICORN_KEEP_ALIVE_S = 5
"""Its default, which bin/serve does not change."""
PROCFILE = dict(re.findall(r"^(\w+): (.+)$", (ROOT / "Procfile").read_text(encoding="utf-8"), re.MULTILINE))


def read_toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


STATIC, ROUTES = read_toml("traefik.toml"), read_toml("routes.toml")["http"]


def test_the_processes_and_their_ports_are_those_of_the_design() -> None:
    assert {process.name: process.port for process in LAYOUT.services} == {
        "users.1": 5000, "words.1": 5100, "games.1": 5200, "stats.1": 5300, "stats.2": 5301, "stats.3": 5302,
    }  # fmt: skip
    assert (LAYOUT.web_port, LAYOUT.dashboard_port) == (9999, 9998)


def test_traefik_knows_every_instance_at_the_port_that_foreman_gives_it() -> None:
    for name, service in ROUTES["services"].items():
        ports = [urlsplit(server["url"]).port for server in service["loadBalancer"]["servers"]]
        assert ports == [process.port for process in LAYOUT.services if process.name.startswith(f"{name}.")]
    assert set(ROUTES["services"]) == set(LAYOUT.service_names)


def test_a_server_is_a_table_with_a_url_and_no_weight() -> None:
    for service in ROUTES["services"].values():
        for server in service["loadBalancer"]["servers"]:
            assert list(server) == ["url"]


def test_bin_traefik_waits_for_every_server() -> None:
    servers = list(read_servers(ROOT / "routes.toml"))
    assert servers == [("127.0.0.1", process.port) for process in LAYOUT.services]


SERVICES = sorted(LAYOUT.service_names)
ROUTERS_OF_A_SERVICE = [router for name, router in ROUTES["routers"].items() if name not in {"nothing", "other-hosts"}]


def test_each_service_is_told_the_prefix_that_traefik_strips() -> None:
    for name in SERVICES:
        assert PROCFILE[name] == f"exec bin/keep --listen $PORT bin/serve {name}"  # which knows the prefix by the name
        rule = ROUTES["routers"][name]["rule"]
        assert rule == f"Path(`/api/{name}`) || PathPrefix(`/api/{name}/`)"
        assert ROUTES["routers"][name]["service"] == name
    assert sorted(ROUTES["middlewares"]["strip"]["stripPrefix"]["prefixes"]) == [f"/api/{name}" for name in SERVICES]


def test_every_router_limits_what_is_under_way_and_the_body() -> None:
    assert ROUTES["middlewares"]["body"]["buffering"]["maxRequestBodyBytes"] == 16384
    for router in ROUTES["routers"].values():
        assert {"in-flight", "body"} <= set(router["middlewares"])
    for router in ROUTERS_OF_A_SERVICE:
        assert router["middlewares"][-3:-1] == ["strip", "body"]
        assert ROUTES["middlewares"][router["middlewares"][-1]]["retry"]["maxRequestBodyBytes"] == 16384


LIMIT = re.compile(r'^\{\{ env "(\w+)" \| default "(\d+)"(?: \| min (\d+))? \}\}$')


def routers_with(middleware: str) -> list[str]:
    return [name for name, router in ROUTES["routers"].items() if middleware in router["middlewares"]]


def most_in_a_minute(average: int, burst: int) -> int:
    """Requests of one address that Traefik lets pass: it forgets an address that has sent nothing for some seconds."""
    forgotten_after_s = 2 if average >= 60 else 1 + 60 // average
    return burst * (60 // forgotten_after_s + 1)


def test_every_router_has_a_priority_and_a_limited_one_comes_before_a_plain_one() -> None:
    priority = {name: router["priority"] for name, router in ROUTES["routers"].items()}
    plain, pages = set(SERVICES), {f"{name}-docs" for name in SERVICES}
    assert {priority[name] for name in plain} == {10}
    assert {priority[name] for name in pages} == {20}
    assert 20 < priority["guesses"] == priority["tokens"] < priority["registrations"] < priority["other-hosts"]
    assert 0 < priority["nothing"] < 10
    assert set(priority) == {*plain, *pages, "guesses", "tokens", "registrations", "other-hosts", "nothing"}


def test_each_limit_is_at_one_router_since_each_router_counts_by_itself() -> None:
    limits = {"limit-registrations": "registrations", "limit-tokens": "tokens", "limit-guesses": "guesses"}
    assert {name for name in ROUTES["middlewares"] if "rateLimit" in ROUTES["middlewares"][name]} == set(limits)
    for limit, router in limits.items():
        assert routers_with(limit) == [router]


def test_every_limit_counts_the_addresses_of_an_ipv6_64_as_one() -> None:
    limits = [
        options
        for middleware in ROUTES["middlewares"].values()
        for kind, options in middleware.items()
        if kind in {"rateLimit", "inFlightReq"}
    ]
    assert len(limits) == 4
    for options in limits:
        assert options["sourceCriterion"] == {"ipStrategy": {"ipv6Subnet": 64}}


def test_a_burst_is_small_and_the_comment_says_what_passes_in_a_minute() -> None:
    said = (ROOT / "routes.toml").read_text(encoding="utf-8")
    for name in ("registrations", "tokens", "guesses"):
        options = ROUTES["middlewares"][f"limit-{name}"]["rateLimit"]
        average, burst = LIMIT.match(options["average"]), LIMIT.match(options["burst"])
        assert average is not None
        assert burst is not None
        assert burst.groups()[:2] == average.groups()[:2]
        assert options["period"] == "1m"
        most = most_in_a_minute(int(average[2]), min(int(burst[2]), int(burst[3])))
        assert f"{most:,} of {int(average[2]):,}" in said


def test_only_swaggers_page_has_a_policy_that_lets_a_script_run() -> None:
    strict = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    assert ROUTES["middlewares"]["policy"]["headers"] == {"contentSecurityPolicy": strict}
    assert routers_with("policy-of-swagger") == [f"{name}-docs" for name in ("users", "words", "games", "stats")]
    assert set(routers_with("policy")) == set(ROUTES["routers"]) - set(routers_with("policy-of-swagger"))
    # one of the entry point would overwrite both
    assert "contentSecurityPolicy" not in ROUTES["middlewares"]["secure"]["headers"]
    for router in ROUTES["routers"].values():
        assert router["middlewares"][0] in {"policy", "policy-of-swagger"}  # outside of what answers 429


def test_several_instances_are_checked_and_a_single_one_is_waited_for() -> None:
    for service in ROUTES["services"].values():
        balancer = service["loadBalancer"]
        assert ("healthCheck" in balancer) == (len(balancer["servers"]) > 1)
        assert balancer.get("healthCheck", {}).get("path", "/live") == "/live"


def test_traefik_waits_for_no_request_that_is_big_or_slow() -> None:
    web = STATIC["entryPoints"]["web"]
    assert web["http"]["maxHeaderBytes"] == 16384
    assert web["transport"]["respondingTimeouts"] == {
        "readTimeout": "5s", "writeTimeout": "60s", "idleTimeout": "60s"
    }  # fmt: skip


def test_only_where_a_post_may_come_twice_is_it_sent_twice() -> None:
    retried = {
        router["service"]
        for router in ROUTERS_OF_A_SERVICE
        if ROUTES["middlewares"][router["middlewares"][-1]]["retry"].get("retryNonIdempotentMethod", False)
    }
    assert retried == {"words", "games", "stats"}  # users: a registration that comes twice is refused the second time


def test_traefik_drops_idle_connections_before_a_service_that_ends_or_uvicorn_does() -> None:
    transports = [STATIC["serversTransport"], *ROUTES["serversTransports"].values()]
    for transport in transports:
        idle_s = float(transport["forwardingTimeouts"]["idleConnTimeout"].removesuffix("s"))
        assert idle_s + 0.25 < DRAIN_S < UVICORN_KEEP_ALIVE_S


def test_stats_answers_before_traefik_takes_it_for_frozen() -> None:
    timeout = ROUTES["serversTransports"]["prompt"]["forwardingTimeouts"]["responseHeaderTimeout"]
    busy_timeout_ms = stats.settings.Settings.model_fields["busy_timeout_ms"].default
    assert busy_timeout_ms / 1000 + 0.25 < float(timeout.removesuffix("s"))


def test_a_service_drains_before_the_runner_kills_it() -> None:
    runner_kills_after_s = 5
    assert runner_kills_after_s > DRAIN_S + GRACE_S


def test_everything_listens_on_the_loopback_interface_only() -> None:
    for entry_point in STATIC["entryPoints"].values():
        assert entry_point["address"].startswith("127.0.0.1:")
    assert HOST == "127.0.0.1"  # of bin/serve, which has no option for another one


def test_traefik_sends_nothing_home() -> None:
    assert STATIC["global"] == {"checkNewVersion": False, "sendAnonymousUsage": False}


def test_traefik_exports_no_traces() -> None:
    assert "tracing" not in STATIC


def test_every_command_replaces_its_shell_so_that_none_is_orphaned() -> None:
    assert all(command.startswith("exec ") for command in PROCFILE.values())


def test_the_services_defaults_name_each_other_where_they_are() -> None:
    for name in ("words", "stats"):
        assert games.settings.Settings.model_fields[f"{name}_url"].default == f"{LAYOUT.url}/api/{name}"
    users_url = users.settings.Settings.model_fields["database_url"].default
    assert stats.settings.Settings.model_fields["users_url"].default == users_url
    assert len(set(stats.settings.Settings.model_fields["shard_urls"].default)) == 3


def read_pins(lock: str) -> dict[str, str]:
    """The version of each package."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text, "a lock file names no server"
    pins = dict(re.findall(r"^([\w-]+)==(\S+).*\\\n    --hash=sha256:", text, re.MULTILINE))
    assert len(pins) == len(re.findall(r"^[\w-]+==", text, re.MULTILINE)), "every version has a hash"
    return pins


PROJECT = read_toml("pyproject.toml")
LOCKS = {
    "requirements.lock": PROJECT["project"]["dependencies"],
    "requirements-test.lock": PROJECT["dependency-groups"]["test"],
}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_pins_every_dependency_with_hashes(lock: str) -> None:
    wanted = {name.partition("[")[0] for name in LOCKS[lock]}  # without extras, which the lock file resolves
    assert wanted <= set(read_pins(lock))


def test_both_lock_files_pin_the_same_version_of_a_package() -> None:
    pins, test_pins = read_pins("requirements.lock"), read_pins("requirements-test.lock")
    differing = {name for name in pins.keys() & test_pins if pins[name] != test_pins[name]}
    assert differing == set()
