import tomllib
from pathlib import Path
from typing import Any

from tools.bench.naked_stack import choose_naked_ports, write_configuration
from tools.config.paths import ROOT
from tools.process.layout import read_layout


def read_toml(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def test_traefik_has_no_middlewares_and_all_instances(tmp_path: Path) -> None:
    write_configuration(tmp_path, ports=[7000, 7001], web_port=7900)
    static = read_toml(tmp_path / "traefik.toml")
    assert static.keys() == {"global", "entryPoints", "providers"}
    assert static["entryPoints"] == {"web": {"address": "127.0.0.1:7900"}}
    servers = [{"url": "http://127.0.0.1:7000"}, {"url": "http://127.0.0.1:7001"}]
    assert read_toml(tmp_path / "routes.toml")["http"] == {
        "routers": {"naked": {"rule": "PathPrefix(`/`)", "service": "naked"}},
        "services": {"naked": {"loadBalancer": {"servers": servers}}},
    }


def test_there_are_as_many_instances_as_of_stats() -> None:
    ports, web_port = choose_naked_ports()
    assert len({*ports, web_port}) == read_layout(ROOT).formation["stats"] + 1
