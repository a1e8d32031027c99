"""Procfile, .foreman, Traefik's and Prometheus' configuration, lock files and the services' defaults are consistent."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import games.settings
import stats.settings
import users.settings
import web.routes
from servicekit.listening import HOST
from servicekit.server import DRAIN_S, GRACE_S
from tests.support.prometheus import list_targets
from tools.config.proxy_settings import ProxySettings
from tools.process.layout import read_layout
from tools.process.servers import read_servers

ROOT = Path(__file__).resolve().parent.parent
LAYOUT = read_layout(ROOT)
UVICORN_KEEP_ALIVE_S = 5
"""uvicorn's default, which bin/serve does not change."""
PROCFILE = dict(re.findall(r"^(\w+): (.+)$", (ROOT / "Procfile").read_text(encoding="utf-8"), re.MULTILINE))


def read_toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


STATIC, ROUTES = read_toml("traefik.toml"), read_toml("routes.toml")["http"]


def test_processes_have_the_documented_ports() -> None:
    assert {process.name: process.port for process in LAYOUT.services} == {
        "users.1": 5000, "words.1": 5100, "games.1": 5200, "stats.1": 5300, "stats.2": 5301, "stats.3": 5302,
        "web.1": 5400,
    }  # fmt: skip
    assert (LAYOUT.web_port, LAYOUT.dashboard_port) == (9999, 9998)


def test_traefik_routes_to_every_instance_of_the_procfile() -> None:
    servers = read_servers(ROOT / "routes.toml")
    for name, listed in servers.items():
        assert listed == [("127.0.0.1", each.port) for each in LAYOUT.services if each.name.startswith(f"{name}.")]
    assert set(servers) == set(LAYOUT.service_names)


def test_servers_have_a_url_and_no_weight() -> None:
    for service in ROUTES["services"].values():
        for server in service["loadBalancer"]["servers"]:
            assert list(server) == ["url"]


def test_prometheus_reads_every_process_under_its_name() -> None:
    assert {(target.address, target.labels["process"]) for target in list_targets()} == {
        (f"{HOST}:{port}", name) for port, name in LAYOUT.ports.items() if port != LAYOUT.web_port
    }
    for target in list_targets():
        service = target.labels["process"].partition(".")[0]
        assert target.labels["service"] == service
        assert target.labels["job"] == ("quintet" if service in LAYOUT.service_names else service)


SERVICES = sorted(LAYOUT.service_names)
ROUTERS_TO_NOTHING = {"nothing", "doubled-prefix", "other-hosts"}
ROUTERS_OF_A_SERVICE = [router for name, router in ROUTES["routers"].items() if name not in ROUTERS_TO_NOTHING]


def test_each_service_has_the_prefix_that_traefik_strips() -> None:
    for name in SERVICES:
        assert PROCFILE[name] == f"exec bin/keep --listen $PORT bin/serve {name}"  # derives the prefix from the name
        rule = ROUTES["routers"][name]["rule"]
        assert rule == f"Path(`/api/{name}`) || PathPrefix(`/api/{name}/`)"
        assert ROUTES["routers"][name]["service"] == name
    assert sorted(ROUTES["middlewares"]["strip"]["stripPrefix"]["prefixes"]) == [f"/api/{name}" for name in SERVICES]


def test_every_router_limits_body_size_and_requests_in_flight() -> None:
    assert ROUTES["middlewares"]["body"]["buffering"]["maxRequestBodyBytes"] == 16384
    for router in ROUTES["routers"].values():
        assert {"in-flight", "body"} <= set(router["middlewares"])
    for router in ROUTERS_OF_A_SERVICE:
        assert router["middlewares"][-3:-1] in (["strip", "body"], ["site", "body"])
        assert ROUTES["middlewares"][router["middlewares"][-1]]["retry"]["maxRequestBodyBytes"] == 16384


LIMIT = re.compile(r'^\{\{ env "(\w+)" \| default "(\d+)"(?: \| min (\d+))? \}\}$')


def routers_with(middleware: str) -> list[str]:
    return [name for name, router in ROUTES["routers"].items() if middleware in router["middlewares"]]


def max_requests_in_a_minute(average: int, burst: int) -> int:
    """Requests of one address that can pass: Traefik drops the bucket of an address that is idle for some seconds."""
    bucket_lifetime_s = 2 if average >= 60 else 1 + 60 // average
    return burst * (60 // bucket_lifetime_s + 1)


def test_routers_with_a_rate_limit_have_a_higher_priority() -> None:
    priority = {name: router["priority"] for name, router in ROUTES["routers"].items()}
    plain, pages = set(SERVICES), {f"{name}-docs" for name in SERVICES}
    site = {"page", "page-files"}
    assert {priority[name] for name in plain} == {10}
    assert {priority[name] for name in pages} == {20}
    assert 20 < priority["guesses"] == priority["tokens"] < priority["registrations"]
    assert priority["registrations"] < priority["doubled-prefix"] < priority["other-hosts"]
    assert 0 < priority["nothing"] < priority["page"] < priority["page-files"] < 10
    assert priority["registrations"] == priority["refreshes"]  # their rules have no request in common
    limited = {"guesses", "tokens", "refreshes", "registrations"}
    assert set(priority) == {*plain, *pages, *site, *limited, *ROUTERS_TO_NOTHING}


def test_limit_on_a_path_is_higher_than_that_on_its_prefix() -> None:
    """Otherwise another spelling of the path, which the prefix's router takes, would pass more often."""
    defaults = ProxySettings.model_fields
    assert defaults["refreshes_per_minute"].default > defaults["tokens_per_minute"].default


def test_each_rate_limit_is_used_by_one_router() -> None:
    """Each router has its own buckets: at two routers a client would get twice the limit."""
    limits = {f"limit-{name}": name for name in ("registrations", "tokens", "refreshes", "guesses")}
    assert {name for name in ROUTES["middlewares"] if "rateLimit" in ROUTES["middlewares"][name]} == set(limits)
    for limit, router in limits.items():
        assert routers_with(limit) == [router]


def test_every_limit_counts_an_ipv6_64_as_one_address() -> None:
    limits = [
        options
        for middleware in ROUTES["middlewares"].values()
        for kind, options in middleware.items()
        if kind in {"rateLimit", "inFlightReq"}
    ]
    assert len(limits) == 5
    for options in limits:
        assert options["sourceCriterion"] == {"ipStrategy": {"ipv6Subnet": 64}}


def test_bursts_match_the_comment_on_requests_per_minute() -> None:
    said = (ROOT / "routes.toml").read_text(encoding="utf-8")
    for name in ("registrations", "tokens", "refreshes", "guesses"):
        options = ROUTES["middlewares"][f"limit-{name}"]["rateLimit"]
        average, burst = LIMIT.match(options["average"]), LIMIT.match(options["burst"])
        assert average is not None
        assert burst is not None
        assert burst.groups()[:2] == average.groups()[:2]
        assert options["period"] == "1m"
        most = max_requests_in_a_minute(int(average[2]), min(int(burst[2]), int(burst[3])))
        assert f"{most:,} of {int(average[2]):,}" in said


def test_page_has_every_path_outside_of_the_api() -> None:
    assert ROUTES["routers"]["page"]["rule"] == "!Path(`/api`) && !PathPrefix(`/api/`)"
    assert ROUTES["middlewares"]["site"] == {"addPrefix": {"prefix": web.routes.router.prefix}}
    assert routers_with("site") == ["page", "page-files"]


def test_only_the_page_is_compressed() -> None:
    """The length of a compressed answer tells what a token in it has in common with text of an attacker's."""
    assert routers_with("compress") == ["page", "page-files"]


def test_policy_of_the_page_allows_files_and_requests_of_its_own_only() -> None:
    policy = ROUTES["middlewares"]["policy-of-page"]["headers"]["contentSecurityPolicy"]
    directives = dict(directive.strip().split(" ", 1) for directive in policy.split(";"))
    assert directives.pop("require-trusted-types-for") == "'script'"
    assert directives["default-src"] == directives["base-uri"] == directives["frame-ancestors"] == "'none'"
    assert set(directives.values()) == {"'none'", "'self'"}
    assert routers_with("policy-of-page") == ["page"]


def test_only_swagger_pages_have_a_csp_that_allows_inline_scripts() -> None:
    strict = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    assert ROUTES["middlewares"]["policy"]["headers"]["contentSecurityPolicy"] == strict
    assert routers_with("policy-of-swagger") == [f"{name}-docs" for name in PROCFILE if name != "traefik"]
    files = {"page-files"}
    assert set(routers_with("policy")) == set(ROUTES["routers"]) - {*routers_with("policy-of-swagger"), "page", *files}
    # a policy of the entry point would overwrite both
    assert "contentSecurityPolicy" not in ROUTES["middlewares"]["secure"]["headers"]
    for name in ROUTES["routers"].keys() - files:
        assert ROUTES["routers"][name]["middlewares"][0] in {
            "policy",
            "policy-of-page",
            "policy-of-swagger",
        }  # 429 responses have the policy, too


def test_only_services_with_several_instances_are_health_checked() -> None:
    for service in ROUTES["services"].values():
        balancer = service["loadBalancer"]
        assert ("healthCheck" in balancer) == (len(balancer["servers"]) > 1)
        assert balancer.get("healthCheck", {}).get("path", "/live") == "/live"


def test_traefik_limits_header_size_and_timeouts() -> None:
    web = STATIC["entryPoints"]["web"]
    assert web["http"]["maxHeaderBytes"] == 16384
    assert web["transport"]["respondingTimeouts"] == {
        "readTimeout": "5s", "writeTimeout": "60s", "idleTimeout": "60s"
    }  # fmt: skip


def test_every_request_is_retried_also_a_post() -> None:
    for router in ROUTERS_OF_A_SERVICE:
        retry = ROUTES["middlewares"][router["middlewares"][-1]]["retry"]
        assert retry["retryNonIdempotentMethod"]
        assert retry["status"] == ["502", "504"]


def test_traefik_closes_idle_connections_before_the_service() -> None:
    transports = [STATIC["serversTransport"], *ROUTES["serversTransports"].values()]
    for transport in transports:
        idle_s = float(transport["forwardingTimeouts"]["idleConnTimeout"].removesuffix("s"))
        assert idle_s + 0.25 < DRAIN_S < UVICORN_KEEP_ALIVE_S


def test_busy_timeout_of_stats_is_below_traefiks_timeout() -> None:
    timeout = ROUTES["serversTransports"]["prompt"]["forwardingTimeouts"]["responseHeaderTimeout"]
    busy_timeout_ms = stats.settings.Settings.model_fields["busy_timeout_ms"].default
    assert busy_timeout_ms / 1000 + 0.25 < float(timeout.removesuffix("s"))


def test_drain_and_grace_end_before_the_runner_kills() -> None:
    runner_kills_after_s = 5
    assert runner_kills_after_s > DRAIN_S + GRACE_S


def test_everything_listens_on_the_loopback_interface_only() -> None:
    for entry_point in STATIC["entryPoints"].values():
        assert entry_point["address"].startswith("127.0.0.1:")
    assert HOST == "127.0.0.1"  # of bin/serve, which has no option for another address


def test_traefik_sends_no_usage_data() -> None:
    assert STATIC["global"] == {"checkNewVersion": False, "sendAnonymousUsage": False}


def test_traefik_exports_no_traces() -> None:
    assert "tracing" not in STATIC


def test_procfile_commands_exec_to_replace_their_shell() -> None:
    """Otherwise the runner would stop the shell and orphan the process."""
    assert all(command.startswith("exec ") for command in PROCFILE.values())


def test_default_urls_of_services_match_the_layout() -> None:
    for name in ("words", "stats"):
        assert games.settings.Settings.model_fields[f"{name}_url"].default == f"{LAYOUT.url}/api/{name}"
    users_url = users.settings.Settings.model_fields["database_url"].default
    assert stats.settings.Settings.model_fields["users_url"].default == users_url
    assert len(set(stats.settings.Settings.model_fields["shard_urls"].default)) == 3


def read_pins(lock: str) -> dict[str, str]:
    """The pinned version of each package."""
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
def test_lock_file_pins_every_dependency_with_hashes(lock: str) -> None:
    wanted = {name.partition("[")[0] for name in LOCKS[lock]}  # without extras, which the lock file resolves
    assert wanted <= set(read_pins(lock))


def test_lock_files_pin_the_same_versions() -> None:
    pins, test_pins = read_pins("requirements.lock"), read_pins("requirements-test.lock")
    differing = {name for name in pins.keys() & test_pins if pins[name] != test_pins[name]}
    assert differing == set()


def test_users_do_not_install_the_httpx_command_line() -> None:
    """httpx imports it where rich and pygments are installed, 3 MB for each instance of games; the tests bring them."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert {"rich", "pygments"} & set(re.findall(r"^([\w-]+)==", lock, re.MULTILINE)) == set()
