"""bin/shard with databases on a PostgreSQL server."""

from pathlib import Path

import pytest

from servicekit.db.sharding import shard_number
from tests.support.old_databases import CREATE_LOOSE_TABLES, CREATE_TABLES, GAMES, USERS, make_file
from tests.support.stored import StoredOnServer, read_all, service_session, use_server
from tools.config.paths import DataPaths, read_data_paths
from tools.data import init, shard, verify
from tools.data.atomic_files import InUse

SHARDS = ("games0", "games1", "games2")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_file(tmp_path / "old.db", schema=CREATE_TABLES)


@pytest.fixture(params=[(), ("shards", "plays")], ids=["all on a server", "users in a file"])
def mixture(
    request: pytest.FixtureRequest,
    unmade: DataPaths,
    on_server: dict[str, StoredOnServer],
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, StoredOnServer]:
    use_server(monkeypatch, on_server, *request.param)
    init.main([])
    return on_server


def test_import_to_a_server_has_all_games_in_their_shards(
    mixture: dict[str, StoredOnServer], source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shard.main([str(source)]) == 0
    assert f"{len(USERS)} users and {len(GAMES)} games of {source} were imported" in capsys.readouterr().out
    stored = [(number, *row) for number, name in enumerate(SHARDS) for row in mixture[name].read("SELECT * FROM games")]
    assert len(stored) == len(GAMES)
    assert all(shard_number(row[1], 3) == row[0] for row in stored)
    assert verify.main([]) == 0


def test_second_import_to_a_server_changes_nothing(
    mixture: dict[str, StoredOnServer], source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shard.main([str(source)])
    before = read_all(mixture)
    capsys.readouterr()
    assert shard.main([str(source)]) == 0
    assert "already imported on 20" in capsys.readouterr().out
    assert read_all(mixture) == before


def test_server_with_players_takes_no_import(suite: dict[str, StoredOnServer], source: Path) -> None:
    before = read_all(suite)
    with pytest.raises(SystemExit, match="already has players or games, so nothing was changed"):
        shard.main([str(source)])
    assert read_all(suite) == before


def test_name_with_nul_is_refused_on_a_server(
    unmade: DataPaths, on_server: dict[str, StoredOnServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_server(monkeypatch, on_server)
    init.main([])
    before = read_all(on_server)
    bad = make_file(tmp_path / "bad.db", schema=CREATE_LOOSE_TABLES, users=[(1, "a\0b")], games=[])
    with pytest.raises(SystemExit, match="the character NUL, which is in 1 name, so nothing was changed"):
        shard.main([str(bad)])
    assert read_all(on_server) == before


def test_import_changes_all_servers_or_none(
    mixture: dict[str, StoredOnServer], source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_all(mixture)
    missing = mixture["games2"].url.replace(mixture["games2"].name, "missing")
    monkeypatch.setenv("STATS_SHARD_URLS", f"{mixture['games0'].url},{mixture['games1'].url},{missing}")
    mixture["games2"].server.execute("CREATE DATABASE missing")  # in which the role may make no tables
    try:
        with pytest.raises(SystemExit, match="missing cannot be used"):
            shard.main([str(source)])
        assert read_all(mixture) == before
    finally:
        mixture["games2"].server.execute("DROP DATABASE missing")


def test_import_is_refused_while_a_service_is_connected(mixture: dict[str, StoredOnServer], source: Path) -> None:
    before = read_all(mixture)
    url = next(iter(read_data_paths().on_servers.values()))
    with service_session(url), pytest.raises(InUse, match="stop the services first"):
        shard.main([str(source)])
    assert read_all(mixture) == before
