import os
import re
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from servicekit.db.sharding import shard_number
from tests.support.polling import wait_until
from tests.support.scripts import (
    TIMEOUT_S,
    dump,
    environment,
    list_files,
    read_contents,
    read_rows,
    start_script,
    write_rows,
)
from tools.config.paths import DataPaths
from tools.data import init, populate, verify
from tools.data.atomic_files import InUse, staged

SMALL = ["--users", "300", "--games", "3000"]
LONG = ["--users", "30000", "--games", "300000"]
"""Two seconds of work, so that there is time to interrupt it."""


@contextmanager
def populating(data_paths: DataPaths, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A bin/populate that has begun to write its first shard."""
    script = start_script("tools.data.populate", *LONG, *arguments)
    try:
        wait_until(lambda: staged(data_paths.shards[0]).exists() or script.poll() is not None)
        assert script.poll() is None, script.communicate()
        yield script
    finally:
        script.kill()
        script.communicate()


def test_users_and_shards_are_filled_and_agree(unmade: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    assert populate.main(SMALL) == 0

    output = capsys.readouterr()
    assert re.fullmatch(r"300 players and 3,000 games are in .*users\.db, .*games2\.db \(\d+\.\d s\)\.\n", output.out)
    assert output.err == ""  # no progress bar without a terminal
    assert list_files(unmade.folder) == {path.name for path in unmade.players}
    assert read_rows(unmade.users, "SELECT COUNT(*) FROM users") == [(300,)]
    assert sum(read_rows(shard, "SELECT COUNT(*) FROM games")[0][0] for shard in unmade.shards) == 3000
    assert init.main([]) == 0
    assert verify.main([]) == 0


def test_each_player_is_in_the_shard_of_the_id(unmade: DataPaths) -> None:
    populate.main(SMALL)

    for number, shard in enumerate(unmade.shards):
        ids = {UUID(bytes=user_id) for (user_id,) in read_rows(shard, "SELECT DISTINCT user_id FROM games")}
        assert len(ids) > 50
        assert {shard_number(user_id, 3) for user_id in ids} == {number}


def test_empty_databases_are_filled_too(unmade: DataPaths) -> None:
    init.main([])

    assert populate.main(SMALL) == 0

    assert verify.main([]) == 0


def test_same_options_give_the_same_bytes_another_seed_does_not(
    unmade: DataPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = []
    for name, seed in [("first", "7"), ("second", "7"), ("third", "8")]:
        data_paths = DataPaths.in_folder(tmp_path / name)
        for variable, value in environment(data_paths).items():
            monkeypatch.setenv(variable, value)
        populate.main([*SMALL, "--seed", seed])
        contents.append([path.read_bytes() for path in (data_paths.users, *data_paths.shards)])

    assert contents[0] == contents[1]
    assert all(ours != theirs for ours, theirs in zip(contents[0], contents[2], strict=True))


def test_no_shard_repeats_the_games_of_another(unmade: DataPaths) -> None:
    populate.main(SMALL)

    times = [{row for (row,) in read_rows(shard, "SELECT finished FROM games")} for shard in unmade.shards]
    assert len(set.union(*times)) > 0.99 * 3000


def test_data_of_a_seed_stay_what_they_are(unmade: DataPaths) -> None:
    populate.main(["--users", "3", "--games", "20"])

    assert read_rows(unmade.users, "SELECT lower(hex(user_id)), username FROM users ORDER BY user_id") == [
        ("74b73621a00f4d3da56d9f964f0066c4", "lortega56"),
        ("9123d95385004a8c9338a3488cb5afe6", "paula_Peterson"),
        ("f9b62258beba419b904577bb09ba2d68", "stephanie_Jennings"),
    ]
    assert read_rows(unmade.shards[2], "SELECT game_id, finished, guesses, won FROM games LIMIT 2") == [
        (98, "2021-09-25 21:57:39", 5, 1),
        (99, "2021-09-26 18:56:21", 5, 1),
    ]


def test_last_day_is_the_one_that_is_asked_for(unmade: DataPaths) -> None:
    populate.main(["--users", "20", "--games", "60", "--until", "2021-06-21"])

    days = {row for shard in unmade.shards for row in read_rows(shard, "SELECT date(finished), game_id FROM games")}
    assert days == {("2021-06-19", 0), ("2021-06-20", 1), ("2021-06-21", 2)}


def test_known_players_are_replaced_only_by_force(unmade: DataPaths) -> None:
    populate.main(SMALL)
    before = read_contents(unmade)

    with pytest.raises(SystemExit, match=r"users\.db.* already has .*: bin/populate --force replaces"):
        populate.main(SMALL)
    assert read_contents(unmade) == before

    assert populate.main([*SMALL, "--seed", "1", "--force"]) == 0
    assert read_contents(unmade) != before


def test_games_without_users_are_not_lost_either(unmade: DataPaths) -> None:
    init.main([])
    write_rows(unmade.shards[2], "INSERT INTO games VALUES (randomblob(16), 1, '2021-06-20 12:00:00', 3, 1)")

    with pytest.raises(SystemExit, match=r"games2\.db already has players or games"):
        populate.main(SMALL)


def test_force_is_refused_while_a_service_has_a_database_open(unmade: DataPaths) -> None:
    populate.main(SMALL)

    with closing(sqlite3.connect(unmade.shards[1])) as service:
        service.execute("SELECT * FROM games LIMIT 1").fetchall()
        with pytest.raises(InUse, match=r"games1\.db is in use"):
            populate.main([*SMALL, "--force"])

    assert list_files(unmade.folder) == {path.name for path in unmade.players}


def test_more_games_than_days_are_refused(unmade: DataPaths) -> None:
    with pytest.raises(SystemExit, match="2 players have time for 1,122 games until 2022-12-31"):
        populate.main(["--users", "2", "--games", "1123"])

    assert not unmade.folder.exists()
    assert populate.main(["--users", "2", "--games", "1122"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--users", "0"],
        ["--users", "-1"],
        ["--users", "many"],
        ["--games", "1.5"],
        ["--seed", "-1"],
        ["--until", "2021-06-18"],
        ["--until", "2022-02-30"],
        ["--until", datetime.now(UTC).date().isoformat()],
        ["--until", ""],
        ["--usres", "1"],
        ["extra"],
    ],
)
def test_odd_arguments_are_refused(arguments: list[str], unmade: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        populate.main(arguments)

    assert end.value.code == 2
    assert "bin/populate: error:" in capsys.readouterr().err
    assert not unmade.folder.exists()


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_interrupted_script_keeps_the_old_databases_only(sent: signal.Signals, status: int, unmade: DataPaths) -> None:
    populate.main(SMALL)
    before = dump(unmade)

    with populating(unmade, "--force") as script:
        script.send_signal(sent)
        output, errors = script.communicate(timeout=TIMEOUT_S)

    assert (script.returncode, output, errors) == (status, "", f"bin/populate: Stopped by {sent.name}.\n")
    assert list_files(unmade.folder) == {path.name for path in unmade.players}
    assert dump(unmade) == before


@pytest.mark.slow
def test_after_a_kill_nothing_is_there_and_the_next_run_works(unmade: DataPaths) -> None:
    with populating(unmade) as script:
        with pytest.raises(InUse, match="Another script"):
            populate.main(SMALL)
        os.kill(script.pid, signal.SIGKILL)
        script.communicate(timeout=TIMEOUT_S)

    assert read_contents(unmade) == {}
    assert populate.main(SMALL) == 0
    assert list_files(unmade.folder) == {path.name for path in unmade.players}


def test_disk_that_refuses_ends_the_script_with_a_sentence(unmade: DataPaths) -> None:
    unmade.folder.touch()  # a file where the folder should be

    script = start_script("tools.data.populate", *SMALL)
    output, errors = script.communicate(timeout=TIMEOUT_S)

    assert (script.returncode, output) == (1, "")
    assert re.fullmatch(r"bin/populate: .*/var: File exists\.\n", errors)
