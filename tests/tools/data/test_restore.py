import json
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

import games.app
import games.settings
import stats.app
import stats.settings
from servicekit.auth.tokens import Caller, Scope, TokenVerifier
from tests.support.polling import wait_until
from tests.support.scripts import dump, list_files, read_contents, read_rows, write_rows
from tests.support.servers import serving
from tools.config.paths import DataPaths
from tools.data import backup, init, restore, verify
from tools.data.atomic_files import InUse
from tools.data.manifest import FORMAT, MANIFEST, FileEntry, describe, read_manifest
from users.token_issuer import TokenIssuer

PLAYER = UUID(int=0)
"""In shard 0; has finished a game whose result is on its way to stats."""


@pytest.fixture
def populated(populated: DataPaths) -> DataPaths:
    write_rows(populated.users, "INSERT INTO users VALUES (zeroblob(16), 'ada')")
    write_rows(
        populated.plays,
        "INSERT INTO plays VALUES (zeroblob(16), 7, 0, '2026-01-01 12:00:00')",
        "INSERT INTO outbox VALUES (zeroblob(16), 7, 1, 4, '2026-01-01 12:00:00', NULL)",
    )
    return populated


@pytest.fixture
def saved(populated: DataPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A backup of the populated databases."""
    folder = tmp_path / "backups" / "set"
    folder.parent.mkdir()
    backup.main([str(folder)])
    capsys.readouterr()
    return folder


def remove_all(data_paths: DataPaths) -> None:
    for path in data_paths.folder.iterdir():
        path.unlink()


def read_keys(data_paths: DataPaths) -> list[bytes]:
    return [path.read_bytes() for path in data_paths.keys]


def read_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def rewrite_manifest(folder: Path, change: Callable[[list[FileEntry]], list[FileEntry]]) -> None:
    manifest = read_manifest(folder)
    changed = manifest.model_copy(update={"files": tuple(change(list(manifest.files)))})
    (folder / MANIFEST).write_text(changed.model_dump_json(), encoding="utf-8")


def test_restored_suite_is_what_was_saved(
    saved: Path, populated: DataPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, keys, files = dump(populated), read_keys(populated), list_files(populated.folder)
    remove_all(populated)
    before = read_files(saved)

    assert restore.main([str(saved)]) == 0

    said = capsys.readouterr().out
    assert said.startswith("301 players and 3,000 games as of 20")
    assert f" UTC are restored from {saved} (" in said
    assert said.count("\n") == 1
    assert dump(populated) == rows
    assert read_keys(populated) == keys
    assert list_files(populated.folder) == files
    assert {read_rows(path, "PRAGMA journal_mode")[0] for path in populated.all} == {("wal",)}
    assert read_files(saved) == before
    assert verify.main([]) == 0
    capsys.readouterr()
    assert init.main([]) == 0
    assert capsys.readouterr().out == "All databases and keys exist: nothing to do.\n"


def test_secrets_are_their_owners_alone_after_a_restore(saved: Path, populated: DataPaths) -> None:
    remove_all(populated)
    restore.main([str(saved)])
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (*populated.all, *populated.keys)}
    assert modes.pop(populated.public_key) & 0o600 == 0o600
    assert set(modes.values()) == {0o600}


def test_tokens_of_before_are_good_again(saved: Path, populated: DataPaths) -> None:
    token = TokenIssuer(populated.private_key).issue(
        scope=Scope.PLAYER, user_id=PLAYER, now=datetime.now(UTC), lifetime=timedelta(hours=1)
    )
    init.main(["--force"])
    restore.main([str(saved), "--force"])
    assert TokenVerifier(populated.public_key).verify(token) == Caller(frozenset({Scope.PLAYER}), PLAYER)


SESSION = (
    "INSERT INTO sessions (token_digest, user_id, started_at, expires_at)"
    " VALUES (randomblob(32), zeroblob(16), '2026-01-01 12:00:00', '9999-12-31 12:00:00')"
)


def test_restore_ends_all_sessions(populated: DataPaths, tmp_path: Path) -> None:
    """The backup stays as it is."""
    write_rows(populated.users, SESSION)
    folder = tmp_path / "backup"
    backup.main([str(folder)])
    before = read_files(folder)
    assert restore.main([str(folder), "--force"]) == 0
    assert read_rows(populated.users, "SELECT * FROM sessions") == []
    assert read_rows(populated.users, "SELECT username FROM users WHERE user_id = zeroblob(16)") == [("ada",)]
    assert read_files(folder) == before
    assert len(read_rows(folder / "users.db", "SELECT * FROM sessions")) == 1


def test_restore_that_cannot_end_the_sessions_changes_nothing(populated: DataPaths, tmp_path: Path) -> None:
    trigger = "CREATE TRIGGER broken BEFORE DELETE ON sessions BEGIN SELECT RAISE(ABORT, 'no'); END"
    write_rows(populated.users, SESSION, trigger)
    folder = tmp_path / "backup"
    backup.main([str(folder)])
    before = dump(populated)
    with pytest.raises(SystemExit, match=r"The sessions in .* cannot be ended \(no\)"):
        restore.main([str(folder), "--force"])
    assert dump(populated) == before


def test_results_on_their_way_to_stats_arrive_after_a_restore(saved: Path, populated: DataPaths) -> None:
    remove_all(populated)
    restore.main([str(saved)])
    stats_settings = stats.settings.Settings(_env_file=None)  # the environment names this test's files
    with serving(stats.app.create_app(stats_settings)) as url:
        games_settings = games.settings.Settings(_env_file=None, stats_url=url)
        with TestClient(games.app.create_app(games_settings)):
            wait_until(lambda: read_rows(populated.plays, "SELECT * FROM outbox") == [])
    won = read_rows(populated.shards[0], "SELECT game_id, won, guesses FROM games WHERE user_id = zeroblob(16)")
    assert won == [(7, 1, 4)]


def test_players_are_replaced_by_force_only(saved: Path, populated: DataPaths) -> None:
    rows = dump(populated)
    write_rows(populated.users, "INSERT INTO users VALUES (randomblob(16), 'late')")
    before = read_contents(populated)
    with pytest.raises(SystemExit, match=r"users\.db.* already has .*: bin/restore --force replaces all players"):
        restore.main([str(saved)])
    assert read_contents(populated) == before
    assert restore.main([str(saved), "--force"]) == 0
    assert dump(populated) == rows


def test_what_is_no_database_any_more_is_replaced_by_force(saved: Path, populated: DataPaths) -> None:
    rows = dump(populated)
    populated.shards[1].write_text("not a database, but as long as the header of one would be", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"games1\.db cannot be read .*: restore a backup with bin/restore --force"):
        restore.main([str(saved)])
    assert restore.main([str(saved), "--force"]) == 0
    assert dump(populated) == rows


def test_nothing_is_restored_while_a_service_has_a_database_open(saved: Path, populated: DataPaths) -> None:
    with closing(sqlite3.connect(populated.answers)) as service:
        service.execute("SELECT * FROM answers").fetchall()
        before, keys = dump(populated), read_keys(populated)
        with pytest.raises(InUse, match=r"answers\.db is in use.*: stop the services first"):
            restore.main([str(saved), "--force"])
    assert (dump(populated), read_keys(populated)) == (before, keys)
    assert list_files(populated.folder) == {path.name for path in (*populated.all, *populated.keys)}


def flip_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


FILES = sorted(
    path.name for path in (*DataPaths.in_folder(Path(), shards=3).all, *DataPaths.in_folder(Path(), shards=3).keys)
)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (flip_byte, r"set/{} is damaged: its checksum is not the one in manifest\.json\."),
        (truncate, r"set/{} is damaged: it has [\d,]+ bytes and should have [\d,]+\."),
        (Path.unlink, r"set is damaged: {} is missing\."),
    ],
)
def test_damaged_file_is_named_and_nothing_changes(
    damage: Callable[[Path], None], sentence: str, saved: Path, populated: DataPaths
) -> None:
    for name in FILES:
        sound = (saved / name).read_bytes()
        damage(saved / name)
        assert_refused(sentence.format(name), saved, populated)
        (saved / name).write_bytes(sound)
    assert restore.main([str(saved), "--force"]) == 0


def assert_refused(sentence: str, saved: Path, data_paths: DataPaths) -> None:
    """With --force, and with nothing changed."""
    before, keys, files = read_contents(data_paths), read_keys(data_paths), list_files(data_paths.folder)
    with pytest.raises(SystemExit, match=sentence):
        restore.main([str(saved), "--force"])
    assert (read_contents(data_paths), read_keys(data_paths)) == (before, keys)
    assert list_files(data_paths.folder) == files


def test_folder_without_a_manifest_is_no_backup(saved: Path, populated: DataPaths) -> None:
    (saved / MANIFEST).unlink()
    assert_refused(r"set has no manifest\.json: it is not a complete backup", saved, populated)
    assert_refused(r"nowhere has no manifest\.json", saved / "nowhere", populated)
    assert_refused(r"users\.db has no manifest\.json", saved / "users.db", populated)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b'{"taken_at": 1}'])
def test_manifest_that_is_none_is_refused(content: bytes, saved: Path, populated: DataPaths) -> None:
    (saved / MANIFEST).write_bytes(content)
    assert_refused(r"manifest\.json is damaged: it is not what bin/backup wrote", saved, populated)


def test_manifest_that_says_more_than_it_may_is_refused(saved: Path, populated: DataPaths) -> None:
    manifest = json.loads((saved / MANIFEST).read_text(encoding="utf-8"))
    (saved / MANIFEST).write_text(json.dumps(manifest | {"compressed": True}), encoding="utf-8")
    assert_refused(r"manifest\.json is damaged: it is not what bin/backup wrote", saved, populated)


def renumber(folder: Path, number: object) -> None:
    """Gives a backup's manifest another format number, and a field that this version does not know."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / MANIFEST).write_text(json.dumps(manifest | {"format": number, "engine": "postgresql"}), encoding="utf-8")


def test_backup_of_a_later_format_is_refused_as_that(saved: Path, populated: DataPaths) -> None:
    renumber(saved, FORMAT + 1)
    (saved / "users.db").unlink()
    later = rf"set was made by a later version of Quintet \(backup format {FORMAT + 1}, this one knows {FORMAT}\)"
    assert_refused(later, saved, populated)
    with pytest.raises(SystemExit, match=later):
        restore.main([str(saved)])  # before the question whether players may be replaced


@pytest.mark.parametrize("number", [-1, "2", 1.5, None, True])
def test_format_that_is_no_number_is_damage(number: object, saved: Path, populated: DataPaths) -> None:
    renumber(saved, number)
    assert_refused(r"manifest\.json is damaged: it is not what bin/backup wrote", saved, populated)


@pytest.mark.parametrize("name", ["../users.db", "games0.db", "strange"])
def test_manifest_of_other_files_is_refused(name: str, saved: Path, populated: DataPaths) -> None:
    rewrite_manifest(saved, lambda entries: [entries[0].model_copy(update={"name": name}), *entries[1:]])
    assert_refused(r"manifest\.json is damaged: it does not list the files of a backup", saved, populated)


def test_file_that_does_not_belong_there_is_named(saved: Path, populated: DataPaths) -> None:
    (saved / "users.db-journal").write_text("strange", encoding="utf-8")
    assert_refused(r"set has users\.db-journal, which does not belong to the backup: remove it", saved, populated)


def test_inconsistent_databases_with_right_checksums_are_refused(saved: Path, populated: DataPaths) -> None:
    write_rows(saved / "users.db", "DELETE FROM users WHERE user_id IN (SELECT user_id FROM users LIMIT 150)")
    rewrite_manifest(saved, lambda entries: [describe(saved / entry.name) for entry in entries])
    assert_refused(
        r"set is damaged: it has 1\d\d differences, among them: .* has games and is no user", saved, populated
    )


def test_another_number_of_shards_is_refused(
    saved: Path, populated: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = ",".join(f"sqlite:///{shard}" for shard in populated.shards[:2])
    monkeypatch.setenv("STATS_SHARD_URLS", urls)
    assert_refused("set has 3 shards and STATS_SHARD_URLS names 2, so players' games", saved, populated)
