import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from games.rules.puzzles import game_id_of
from servicekit.db.sharding import shard_number
from stats.results import Result
from tests.support.old_databases import (
    CREATE_LOOSE_TABLES,
    CREATE_MORE,
    CREATE_TABLES,
    GAMES,
    USERS,
    dump_file,
    make_dump,
    make_file,
    to_utc,
)
from tests.support.polling import wait_until
from tests.support.results import count_statistics
from tests.support.scripts import (
    TIMEOUT_S,
    list_files,
    read_contents,
    read_rows,
    start_script,
    write_rows,
)
from tools.config.paths import ROOT, DataPaths
from tools.data import init, shard
from tools.data.atomic_files import InUse, staged
from tools.data.rebuild_standings import rebuild_standings
from tools.data.shard import import_sources

NOW = datetime(2022, 6, 1, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return make_file(tmp_path / "old.db", schema=CREATE_TABLES + CREATE_MORE)


@pytest.fixture
def dump(tmp_path: Path, file: Path) -> Path:
    return make_dump(tmp_path / "old.sql", dump_file(file))


@pytest.fixture(params=["file", "dump"])
def source(request: pytest.FixtureRequest) -> Path:
    """The old database in both forms."""
    path = request.getfixturevalue(request.param)
    assert isinstance(path, Path)
    return path


@pytest.fixture
def big_source(tmp_path: Path) -> Path:
    """Takes long enough to be interrupted."""
    users = ((number, f"player {number}") for number in range(10_000))
    games = ((number % 10_000, number // 10_000, "2022-01-01", 3, 1) for number in range(60_000))
    return make_file(tmp_path / "big.db", users=users, games=games)


def read_results(games: list[tuple[Any, ...]], user_id: int) -> dict[int, Result]:
    """By game."""
    results = {}
    for owner, game_id, finished, guesses, won in games:
        if owner == user_id:
            results[game_id] = Result(finished=to_utc(finished), guesses=guesses, won=bool(won))
    return results


def read_ids(data_paths: DataPaths) -> dict[str, UUID]:
    return {name: UUID(bytes=key) for key, name in read_rows(data_paths.users, "SELECT user_id, username FROM users")}


def test_every_player_has_the_statistics_that_the_old_games_give(
    data_paths: DataPaths, stats_client: TestClient, source: Path
) -> None:
    import_sources([source], data_paths)

    ids = read_ids(data_paths)
    assert sorted(ids) == sorted(name for _, name in USERS)
    for user_id, name in USERS:
        expected = count_statistics(read_results(GAMES, user_id).values())
        assert stats_client.get(f"/users/{ids[name]}").json() == expected, name


def test_paths_may_be_relative_as_in_the_default_settings(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    import_sources([source], DataPaths.in_folder(Path("var")))

    assert read_rows(tmp_path / "var" / "users.db", "SELECT COUNT(*) FROM users") == [(len(USERS),)]


def test_every_result_arrives_as_it_was(data_paths: DataPaths, stats_client: TestClient, source: Path) -> None:
    import_sources([source], data_paths)

    ids = read_ids(data_paths)
    for user_id, name in USERS:
        for game_id, result in read_results(GAMES, user_id).items():
            stored = stats_client.get(f"/users/{ids[name]}/games/{game_id}").json()
            assert stored["won"] == result.won
            assert stored["guesses"] == result.guesses
            assert datetime.fromisoformat(stored["finished"]) == result.finished
    assert sum(read_rows(path, "SELECT COUNT(*) FROM games")[0][0] for path in data_paths.shards) == len(GAMES)


def test_both_leaderboards_are_those_of_the_old_games(
    data_paths: DataPaths, stats_client: TestClient, source: Path
) -> None:
    import_sources([source], data_paths)

    counted = [(name, count_statistics(read_results(GAMES, user_id).values())) for user_id, name in USERS]
    played = [(name, counts) for name, counts in counted if counts["gamesPlayed"]]
    for board, column, statistic in (("wins", "wins", "gamesWon"), ("streaks", "streak", "maxStreak")):
        leaders = stats_client.get(f"/leaders/{board}").json()["leaders"]
        assert sorted((row["username"], row[column]) for row in leaders) == sorted(
            (name, counts[statistic]) for name, counts in played
        )
        assert [row[column] for row in leaders] == sorted((row[column] for row in leaders), reverse=True)


def test_ids_are_random_and_games_are_in_their_players_shard(data_paths: DataPaths, file: Path) -> None:
    import_sources([file], data_paths)

    ids = read_ids(data_paths).values()
    assert {key.version for key in ids} == {4}
    for number, path in enumerate(data_paths.shards):
        for (key,) in read_rows(path, "SELECT user_id FROM games UNION SELECT user_id FROM standings"):
            assert shard_number(UUID(bytes=key), len(data_paths.shards)) == number


def test_imported_databases_keep_constraints_and_right_standings(data_paths: DataPaths, source: Path) -> None:
    import_sources([source], data_paths)

    for path in data_paths.players:
        assert read_rows(path, "PRAGMA integrity_check") == [("ok",)]
        assert read_rows(path, "PRAGMA journal_mode") == [("wal",)]
    for path in data_paths.shards:
        with closing(sqlite3.connect(path)) as database:
            played = [standing.played for _, standing in rebuild_standings(database)]
            assert database.execute("SELECT won + lost FROM standings ORDER BY user_id").fetchall() == [
                (count,) for count in played
            ]


@pytest.mark.parametrize("shards", [1, 5])
def test_there_may_be_any_number_of_shards(unmade: DataPaths, file: Path, shards: int) -> None:
    paths = tuple(unmade.folder / f"games{number}.db" for number in range(shards))
    import_sources([file], replace(unmade, shards=paths))
    assert sum(read_rows(path, "SELECT COUNT(*) FROM games")[0][0] for path in paths) == len(GAMES)


def test_old_database_without_players_is_brought_in_too(unmade: DataPaths, tmp_path: Path) -> None:
    source = make_file(tmp_path / "none.db", users=[], games=[])
    assert import_sources([source], unmade)[0].startswith("0 users and 0 games")
    assert "nothing was changed" in import_sources([source], unmade)[0]


def run_shard(*arguments: Path | str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.data.shard", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def test_last_line_has_counts_and_checksums_without_a_progress_bar(
    unmade: DataPaths, tmp_path: Path, file: Path
) -> None:
    done = run_shard(file.name, cwd=tmp_path)  # relative to where the user is

    assert done.returncode == 0
    assert done.stderr == ""
    remark, summary = done.stdout.splitlines()
    assert "or a later one: 1." in remark
    assert summary.startswith(f"{len(USERS)} users and {len(GAMES)} games of {file} were imported: games0.db has ")
    assert summary.count("(checksum ") == len(unmade.shards)
    assert list_files(unmade.folder) == {path.name for path in unmade.players}


def test_games_numbered_today_or_later_are_counted(unmade: DataPaths, tmp_path: Path) -> None:
    today = game_id_of(datetime.now(UTC).date())
    games = [(1, today + ahead, "2022-01-01", 3, 1) for ahead in (-1, 1, 1000)]  # one of today itself, past midnight
    _, remarks = import_sources([make_file(tmp_path / "old.db", games=games)], unmade)
    (remark,) = remarks
    assert re.match(r"Games with today's number \([\d,]+\) or a later one: 2\. Their players cannot play", remark)

    early = make_file(tmp_path / "early.db", games=[(1, today - 1, "2022-01-01", 3, 1)])
    init.main(["--force"])
    assert import_sources([early], unmade)[1] == []


@pytest.mark.slow
def test_second_run_changes_nothing_in_any_form_of_source(
    unmade: DataPaths, tmp_path: Path, file: Path, dump: Path
) -> None:
    assert run_shard(file, cwd=tmp_path).returncode == 0
    before = read_contents(unmade)
    shuffled = make_file(
        tmp_path / "shuffled.db",
        users=reversed(USERS),
        games=random.Random(1).sample(GAMES, len(GAMES)),  # noqa: S311 - any order will do
        schema=CREATE_LOOSE_TABLES,
    )

    for source in (file, dump, shuffled):
        again = run_shard(source, cwd=tmp_path)
        assert again.returncode == 0
        assert again.stdout.startswith(f"{source}: already imported on ")
        assert " UTC, so nothing was changed (" in again.stdout
    assert read_contents(unmade) == before


def test_source_has_the_checksum_that_earlier_versions_gave_it(unmade: DataPaths, file: Path) -> None:
    import_sources([file], unmade)
    assert read_rows(unmade.users, "SELECT checksum FROM imports") == [
        ("906b8f48bb08db8529407a5a5865058e43d25247bb05f5c13ebd00db15c89ad4",)
    ]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE users SET username = 'another' WHERE user_id = 8",
        "INSERT INTO users VALUES (9, 'new')",
        "UPDATE games SET won = 0 WHERE user_id = 7",
        "UPDATE games SET finished = '2022-01-05 00:00:01' WHERE user_id = 7",
    ],
)
def test_another_source_is_refused_once_there_are_players(unmade: DataPaths, file: Path, change: str) -> None:
    import_sources([file], unmade)
    before = read_contents(unmade)
    write_rows(file, change)

    with pytest.raises(SystemExit, match=r"users\.db.* already has players.*bin/init --force"):
        import_sources([file], unmade)
    assert read_contents(unmade) == before


@pytest.mark.parametrize("database", ["users", "games"])
def test_players_of_another_origin_are_not_replaced(data_paths: DataPaths, file: Path, database: str) -> None:
    inhabited = data_paths.users if database == "users" else data_paths.shards[2]
    if database == "users":
        write_rows(inhabited, "INSERT INTO users VALUES (zeroblob(16), 'resident')")
    else:
        write_rows(inhabited, "INSERT INTO games VALUES (zeroblob(16), 1, '2022-01-01 00:00:00', 1, 1)")
    before = read_contents(data_paths)

    with pytest.raises(SystemExit, match=f"^{inhabited} already has players.*bin/init --force"):
        import_sources([file], data_paths)
    assert read_contents(data_paths) == before


def test_what_init_makes_empty_is_filled(unmade: DataPaths, file: Path) -> None:
    init.main([])
    dictionary = unmade.words.read_bytes()

    import_sources([file], unmade)
    assert len(read_ids(unmade)) == len(USERS)
    assert unmade.words.read_bytes() == dictionary


def test_all_faults_are_listed_at_once_and_nothing_is_written(unmade: DataPaths, tmp_path: Path) -> None:
    users = [*USERS, (20, "Ada")]
    games = [*GAMES, (99, 1, "2022-01-01", 1, 1), (8, 1, "2022-02-30", 1, 1), (8, 2, "2022-01-01", 7, 1)]
    source = make_file(tmp_path / "wrong.db", users=users, games=games, schema=CREATE_LOOSE_TABLES)

    refused = run_shard(source, cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.startswith(f"bin/shard: {source}: rows are invalid, so nothing was changed:\n")
    assert [line for line in refused.stderr.splitlines() if "(8, 2)" in line or "(99)" in line]
    assert refused.stderr.count("\n") == 5
    assert list_files(unmade.folder) == set()


@pytest.mark.parametrize(
    "game",
    [
        (5, 10, "2022-02-27", 4, 1),
        (8, 1, "2022-01-01", 0, 0),
        (8, 1, None, 1, 1),
        (8, 1, "2999-01-01", 1, 1),
    ],
)
def test_one_invalid_game_leaves_empty_databases_unchanged(
    data_paths: DataPaths, tmp_path: Path, game: tuple[object, ...]
) -> None:
    source = make_file(tmp_path / "wrong.db", games=[*GAMES, game], schema=CREATE_LOOSE_TABLES)

    with pytest.raises(SystemExit, match=rf"nothing was changed:\n  games .*\({game[0]}, {game[1]}\)$"):
        import_sources([source], data_paths)
    assert read_ids(data_paths) == {}
    assert list_files(data_paths.folder) == {path.name for path in data_paths.all}


def test_name_that_is_not_utf_8_is_refused_by_its_row(unmade: DataPaths, file: Path) -> None:
    write_rows(file, "INSERT INTO users VALUES (50, CAST(x'ff41' AS TEXT))")
    with pytest.raises(SystemExit, match=r"users \(user_id\) whose username is not in UTF-8: \(50\)$"):
        import_sources([file], unmade)
    assert list_files(unmade.folder) == set()


def test_source_that_is_not_there_is_a_sentence(unmade: DataPaths, tmp_path: Path) -> None:
    refused = run_shard("none.sql", cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr == f"bin/shard: {tmp_path / 'none.sql'}: No such file or directory.\n"


def test_databases_in_use_are_refused_and_left_as_they_are(data_paths: DataPaths, file: Path) -> None:
    with closing(sqlite3.connect(data_paths.shards[1])) as service:
        service.execute("SELECT COUNT(*) FROM games").fetchone()
        with pytest.raises(InUse, match=r"games1\.db is in use.*: stop the services first"):
            import_sources([file], data_paths)
    assert read_ids(data_paths) == {}
    assert list_files(data_paths.folder) == {path.name for path in data_paths.all}


@pytest.mark.slow
def test_killed_import_leaves_no_database_and_can_be_repeated(unmade: DataPaths, big_source: Path) -> None:
    with start_script("tools.data.shard", str(big_source)) as script:
        wait_until(staged(unmade.shards[0]).exists)
        script.kill()
        assert script.wait(TIMEOUT_S) == -signal.SIGKILL
    assert not [path for path in unmade.players if path.exists()]

    assert import_sources([big_source], unmade)[0].startswith("10,000 users and 60,000 games")
    assert list_files(unmade.folder) == {path.name for path in unmade.players}


@pytest.mark.slow
def test_interrupted_import_says_so_and_leaves_nothing(unmade: DataPaths, big_source: Path) -> None:
    with start_script("tools.data.shard", str(big_source)) as script:
        wait_until(staged(unmade.shards[0]).exists)
        script.terminate()
        _, complaint = script.communicate(timeout=TIMEOUT_S)
    assert script.returncode == 128 + signal.SIGTERM
    assert complaint == "bin/shard: Stopped by SIGTERM.\n"
    assert list_files(unmade.folder) == set()


def test_help_says_what_the_source_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        shard.main(["--help"])
    assert end.value.code == 0
    assert "users(user_id, username) and games(user_id, game_id, finished, guesses, won)" in " ".join(
        capsys.readouterr().out.split()
    )
