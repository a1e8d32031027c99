import os
import re
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from games.rules.puzzles import game_id_of
from tests.support.earlier_version import make_earlier_databases
from tests.support.scripts import TIMEOUT_S, list_files, read_contents, read_rows, write_rows
from tools.config.paths import ROOT, SHARE, DataPaths
from tools.data import init
from tools.data.atomic_files import InUse, staging_lock
from tools.process.stack import copy_project


def read_column(path: Path, sql: str) -> list[object]:
    return [value for (value,) in read_rows(path, sql)]


def read_keys(data_paths: DataPaths) -> list[bytes]:
    return [path.read_bytes() for path in data_paths.keys]


def test_all_databases_are_made_from_share(unmade: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    assert init.main([]) == 0

    assert list_files(unmade.folder) == {path.name for path in (*unmade.all, *unmade.keys)}
    words = (SHARE / "words.txt").read_text(encoding="utf-8").split()
    candidates = (SHARE / "answers.txt").read_text(encoding="utf-8").split()
    assert read_column(unmade.words, "SELECT word FROM words ORDER BY word") == sorted(words)
    assert read_column(unmade.answers, "SELECT word FROM candidates ORDER BY word") == sorted(candidates)
    assert read_column(unmade.users, "SELECT * FROM users") == []
    assert [read_rows(shard, "SELECT * FROM standings") for shard in unmade.shards] == [[], [], []]
    assert {read_rows(path, "PRAGMA journal_mode")[0] for path in unmade.all} == {("wal",)}
    assert capsys.readouterr().out.count("\n") == 1


def test_games_up_to_yesterday_and_no_later_ones_have_answers(unmade: DataPaths) -> None:
    init.main([])

    answers = dict(read_rows(unmade.answers, "SELECT game_id, answer FROM answers"))
    assert sorted(answers) == list(range(game_id_of(datetime.now(UTC).date())))
    candidates = read_column(unmade.answers, "SELECT word FROM candidates")
    assert set(answers.values()) <= set(candidates)
    assert read_column(unmade.answers, "SELECT DISTINCT source FROM answers") == ["drawn"]


def test_answers_are_drawn_by_chance(unmade: DataPaths) -> None:
    init.main([])
    first = read_column(unmade.answers, "SELECT answer FROM answers ORDER BY game_id")
    init.main(["--force"])
    second = read_column(unmade.answers, "SELECT answer FROM answers ORDER BY game_id")

    assert first != second
    assert first[:100] != sorted(map(str, first[:100]))


def test_second_run_changes_nothing_and_says_so(unmade: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    init.main([])
    before, keys = read_contents(unmade), read_keys(unmade)
    capsys.readouterr()

    assert init.main([]) == 0

    assert capsys.readouterr().out == "All databases and keys exist: nothing to do.\n"
    assert (read_contents(unmade), read_keys(unmade)) == (before, keys)


def test_only_what_is_missing_is_made(unmade: DataPaths) -> None:
    init.main([])
    before = read_contents(unmade)
    unmade.words.unlink()
    unmade.shards[1].unlink()

    assert init.main([]) == 0

    after = read_contents(unmade)
    assert after.keys() == before.keys()
    assert after[unmade.answers] == before[unmade.answers]


def test_lost_shard_is_not_passed_off_as_an_empty_one(unmade: DataPaths) -> None:
    init.main([])
    write_rows(unmade.users, "INSERT INTO users VALUES (randomblob(16), 'ada')")
    unmade.shards[1].unlink()

    with pytest.raises(
        SystemExit, match=r"games1\.db cannot be created empty while .*users\.db still .* bin/init --force"
    ):
        init.main([])

    assert not unmade.shards[1].exists()
    assert init.main(["--force"]) == 0
    assert read_rows(unmade.users, "SELECT * FROM users") == []


def test_lost_plays_are_not_replaced_by_an_empty_database(unmade: DataPaths) -> None:
    init.main([])
    write_rows(unmade.users, "INSERT INTO users VALUES (randomblob(16), 'ada')")
    unmade.plays.unlink()

    with pytest.raises(SystemExit, match=r"plays\.db cannot be created empty while .*users\.db still has players"):
        init.main([])

    assert not unmade.plays.exists()


def test_plays_are_added_to_a_version_that_had_none(unmade: DataPaths) -> None:
    make_earlier_databases(unmade)
    unmade.plays.unlink()

    init.main([])

    assert read_rows(unmade.plays, "SELECT * FROM plays") == []
    assert read_rows(unmade.users, "SELECT * FROM users") != []


def test_file_that_is_no_database_is_refused_with_a_sentence(unmade: DataPaths) -> None:
    init.main([])
    unmade.users.write_text("not a database, but as long as the header of one would be", encoding="utf-8")
    unmade.shards[1].unlink()

    with pytest.raises(SystemExit, match=r"users\.db cannot be read"):
        init.main([])


def test_force_is_refused_while_a_service_has_a_database_open(unmade: DataPaths) -> None:
    init.main([])
    before, keys = read_contents(unmade), read_keys(unmade)

    with closing(sqlite3.connect(unmade.answers)) as service:
        service.execute("SELECT * FROM answers LIMIT 1").fetchall()
        with pytest.raises(InUse, match=r"answers\.db is in use"):
            init.main(["--force"])

    assert list_files(unmade.folder) == {path.name for path in (*unmade.all, *unmade.keys)}
    assert read_rows(unmade.answers, "SELECT * FROM answers") != []
    assert read_contents(unmade).keys() == before.keys()
    assert read_keys(unmade) == keys


def test_it_is_refused_while_another_script_works(unmade: DataPaths) -> None:
    with staging_lock(unmade.folder, unmade.all), pytest.raises(InUse):
        init.main([])


def test_script_runs_from_any_folder(unmade: DataPaths, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()

    result = subprocess.run(
        [ROOT / "bin" / "init"], cwd=elsewhere, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )

    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(r"Created .*users\.db, .*answers\.db, .*games\.token\.\n", result.stdout)
    assert unmade.users.exists()
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("USERS_DATABASE_URL", "sqlite:////tmp/other.db", "must be equal"),
        ("STATS_SHARD_URLS", "sqlite:///var/a.db,sqlite:///var/./a.db", "have the same path"),
        ("WORDS_DATABASE_URL", "words.db", "should be sqlite:///PATH"),
        ("TOKEN_PUBLIC_KEY_FILE", "var/same", "have the same path"),
    ],
)
def test_invalid_settings_are_refused_with_a_sentence(
    name: str, value: str, sentence: str, unmade: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("GAMES_SERVICE_TOKEN_FILE", "var/same")

    with pytest.raises(SystemExit, match=sentence):
        init.main([])

    assert not unmade.folder.exists()


def test_databases_that_others_could_read_are_closed_to_them(unmade: DataPaths) -> None:
    init.main([])
    unmade.users.chmod(0o644)
    init.main([])
    assert {path.stat().st_mode & 0o777 for path in unmade.all} == {0o600}


def test_database_folder_is_private_whatever_the_umask(unmade: DataPaths) -> None:
    before = os.umask(0)
    try:
        init.main([])
    finally:
        os.umask(before)
    assert unmade.folder.stat().st_mode & 0o777 == 0o700


def test_own_folder_of_an_earlier_version_is_made_private(tmp_path: Path) -> None:
    copy_project(tmp_path)
    (tmp_path / "var").mkdir(mode=0o755)

    subprocess.run([tmp_path / "bin" / "init"], check=True, capture_output=True, timeout=TIMEOUT_S)

    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700


def test_lost_answers_are_not_drawn_again_for_stored_plays(unmade: DataPaths) -> None:
    init.main([])
    write_rows(unmade.plays, "INSERT INTO plays VALUES (randomblob(16), 1, 0, '2026-01-01 12:00:00')")
    unmade.answers.unlink()

    with pytest.raises(SystemExit, match=r"answers\.db cannot be created while .*plays\.db has plays"):
        init.main([])

    assert not unmade.answers.exists()


def test_nothing_is_made_beside_a_database_of_a_later_version(unmade: DataPaths) -> None:
    init.main([])
    write_rows(unmade.users, "PRAGMA user_version = 99")
    unmade.words.unlink()

    with pytest.raises(SystemExit, match="later version"):
        init.main([])

    assert not unmade.words.exists()
