"""Procfile, .foreman, traefik.toml, routes.toml and the services' defaults agree on who listens where."""

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import games.settings
import stats.settings
import users.settings
from tools.layout import read_layout
from tools.traefik import read_servers

ROOT = Path(__file__).resolve().parent.parent
LAYOUT = read_layout(ROOT)
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
    assert set(ROUTES["services"]) == set(LAYOUT.lines) - {"traefik"}


def test_a_server_is_a_table_with_a_url_and_no_weight() -> None:
    for service in ROUTES["services"].values():
        for server in service["loadBalancer"]["servers"]:
            assert list(server) == ["url"]


def test_bin_traefik_waits_for_every_server() -> None:
    servers = list(read_servers(ROOT / "routes.toml"))
    assert servers == [("127.0.0.1", process.port) for process in LAYOUT.services]


def test_each_service_is_told_the_prefix_that_traefik_strips() -> None:
    for name in ROUTES["services"]:
        assert f"uvicorn {name}.app:app" in PROCFILE[name]
        assert re.search(rf"--root-path /api/{name}(?!\S)", PROCFILE[name])
        rule = ROUTES["routers"][name]["rule"]
        assert rule == f"Path(`/api/{name}`) || PathPrefix(`/api/{name}/`)"
        assert ROUTES["routers"][name]["service"] == name
    assert ROUTES["middlewares"]["strip"]["stripPrefix"]["prefixes"] == [f"/api/{name}" for name in ROUTES["services"]]


def test_every_router_limits_the_body_and_every_service_is_checked() -> None:
    assert ROUTES["middlewares"]["body"]["buffering"]["maxRequestBodyBytes"] == 16384
    for router in ROUTES["routers"].values():
        assert router["middlewares"][:2] == ["strip", "body"]
        assert ROUTES["middlewares"][router["middlewares"][2]]["retry"]["maxRequestBodyBytes"] == 16384
    for service in ROUTES["services"].values():
        assert service["loadBalancer"]["healthCheck"]["path"] == "/health"


def test_traefik_waits_for_no_request_that_is_big_or_slow() -> None:
    web = STATIC["entryPoints"]["web"]
    assert web["http"]["maxHeaderBytes"] == 16384
    assert web["transport"]["respondingTimeouts"] == {
        "readTimeout": "5s", "writeTimeout": "60s", "idleTimeout": "60s"
    }  # fmt: skip


def test_only_where_a_post_may_come_twice_is_it_sent_twice() -> None:
    retried = {
        name
        for name, router in ROUTES["routers"].items()
        if ROUTES["middlewares"][router["middlewares"][2]]["retry"].get("retryNonIdempotentMethod", False)
    }
    assert retried == {"words", "games", "stats"}  # users: a registration that comes twice is refused the second time


def test_traefik_drops_idle_connections_before_uvicorn_does() -> None:
    idle = STATIC["serversTransport"]["forwardingTimeouts"]["idleConnTimeout"]
    uvicorn_keep_alive_s = 5  # its default, which no line of the Procfile changes
    assert float(idle.removesuffix("s")) < uvicorn_keep_alive_s
    assert not any("keep-alive" in command for command in PROCFILE.values())


def test_a_service_drains_before_the_runner_kills_it() -> None:
    runner_kills_after_s = 5
    for name in ROUTES["services"]:
        drain = re.search(r"--timeout-graceful-shutdown (\d+)", PROCFILE[name])
        assert drain is not None
        assert int(drain[1]) < runner_kills_after_s


def test_everything_listens_on_the_loopback_interface_only() -> None:
    for entry_point in STATIC["entryPoints"].values():
        assert entry_point["address"].startswith("127.0.0.1:")
    assert not any("--host" in command for command in PROCFILE.values())  # uvicorn's default is 127.0.0.1


def test_traefik_sends_nothing_home() -> None:
    assert STATIC["global"] == {"checkNewVersion": False, "sendAnonymousUsage": False}


def test_every_command_replaces_its_shell_so_that_none_is_orphaned() -> None:
    assert all(command.startswith("exec ") for command in PROCFILE.values())


def test_the_services_defaults_name_each_other_where_they_are() -> None:
    words_port = next(process.port for process in LAYOUT.services if process.name == "words.1")
    assert games.settings.Settings.model_fields["words_url"].default == f"http://127.0.0.1:{words_port}"
    users_url = users.settings.Settings.model_fields["database_url"].default
    assert stats.settings.Settings.model_fields["users_url"].default == users_url
    assert len(set(stats.settings.Settings.model_fields["shard_urls"].default)) == 3


def test_the_lock_file_pins_every_dependency_with_hashes_and_names_no_server() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    project = read_toml("pyproject.toml")
    named = (*project["project"]["dependencies"], *project["dependency-groups"]["test"])
    wanted = {name.partition("[")[0] for name in named}  # without extras, which the lock file resolves
    pinned = re.findall(r"^([\w-]+)==\S+.*\\\n    --hash=sha256:", lock, re.MULTILINE)
    assert wanted <= set(pinned)
    assert len(pinned) == len(re.findall(r"^[\w-]+==", lock, re.MULTILINE))
