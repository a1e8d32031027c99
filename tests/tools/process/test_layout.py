"""The names and ports that foreman gives to processes, as tools/process/layout.py computes them."""

from pathlib import Path

import pytest

from tools.process.layout import Process, read_layout

TRAEFIK_TOML = """
[entryPoints]
web.address = "127.0.0.1:7777"
traefik.address = "127.0.0.1:7778"
"""


def write_layout(folder: Path, *, foreman: str, names: tuple[str, ...]) -> None:
    (folder / "Procfile").write_text("".join(f"{name}: exec bin/keep $PORT\n" for name in names), encoding="utf-8")
    (folder / ".foreman").write_text(foreman, encoding="utf-8")
    (folder / "traefik.toml").write_text(TRAEFIK_TOML, encoding="utf-8")


def test_line_is_a_hundred_ports_above_the_one_before(tmp_path: Path) -> None:
    foreman = "# a comment\nformation: all=2,stats=1\nport: 6000\n"
    write_layout(tmp_path, foreman=foreman, names=("users", "traefik", "stats", "words"))
    layout = read_layout(tmp_path)
    assert layout.service_names == ["users", "stats", "words"]
    assert [(process.name, process.port) for process in layout.services] == [
        ("users.1", 6000), ("users.2", 6001), ("stats.1", 6200), ("words.1", 6300), ("words.2", 6301),
    ]  # fmt: skip
    assert layout.processes[len(layout.services) :] == [Process("traefik.1", 7777)]
    assert layout.ports == {process.port: process.name for process in layout.processes} | {7778: "traefik.1"}


def test_port_in_the_environment_does_not_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1234")
    write_layout(tmp_path, foreman="formation: all=1\nport: 6000\n", names=("users",))
    assert read_layout(tmp_path).services == [Process("users.1", 6000)]


@pytest.mark.parametrize(
    ("foreman", "names", "fault"),
    [
        ("formation: all=1\n", ("users",), "KeyError('port')"),
        ("port: 6000\n", ("users",), "KeyError('formation')"),
        ("formation: all=1\nport: five\n", ("users",), "invalid literal for int() with base 10: 'five'"),
        ("formation: all=1\nport: 6000\n", ("users", "users"), "process names must be unique"),
    ],
)
def test_edited_file_without_its_form_is_refused(
    tmp_path: Path, foreman: str, names: tuple[str, ...], fault: str
) -> None:
    write_layout(tmp_path, foreman=foreman, names=names)
    with pytest.raises(SystemExit, match=r"^Procfile, \.foreman, traefik\.toml do not give") as refusal:
        read_layout(tmp_path)
    assert fault in str(refusal.value)
