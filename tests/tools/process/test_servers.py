"""The comparison of routes.toml with the formation, which bin/run makes before it starts anything."""

from dataclasses import replace

import pytest

from tools.config.paths import ROOT
from tools.process.layout import Layout, read_layout
from tools.process.port_checks import Server
from tools.process.servers import read_servers, require_same_instances


@pytest.fixture
def layout() -> Layout:
    return read_layout(ROOT)


@pytest.fixture
def servers() -> dict[str, list[Server]]:
    return read_servers(ROOT / "routes.toml")


def test_files_of_the_project_agree(layout: Layout, servers: dict[str, list[Server]]) -> None:
    require_same_instances(layout, servers)


def test_instance_without_a_server_is_named(layout: Layout, servers: dict[str, list[Server]]) -> None:
    four = replace(layout, formation=layout.formation | {"stats": 4})
    with pytest.raises(SystemExit, match=r"no server http://127\.0\.0\.1:5303 for stats\.4.*\[http\.services\.stats\."):
        require_same_instances(four, servers)


def test_server_without_an_instance_is_named(layout: Layout, servers: dict[str, list[Server]]) -> None:
    servers["games"].append(("127.0.0.1", 5201))
    with pytest.raises(SystemExit, match=r"http://127\.0\.0\.1:5201 for games, which \.foreman does not start"):
        require_same_instances(layout, servers)


def test_server_of_another_service_is_named(layout: Layout, servers: dict[str, list[Server]]) -> None:
    servers["words"], servers["games"] = servers["games"], servers["words"]
    with pytest.raises(SystemExit, match=r"no server http://127\.0\.0\.1:5100 for words\.1"):
        require_same_instances(layout, servers)


def test_server_on_another_machine_may_be_listed(layout: Layout, servers: dict[str, list[Server]]) -> None:
    servers["stats"].append(("10.0.0.7", 5300))
    require_same_instances(layout, servers)
