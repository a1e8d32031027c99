"""bin/restore on PostgreSQL and on mixtures of the two engines."""

import json
import stat
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.polling import wait_until
from tests.support.scripts import list_files, start_script
from tests.support.stored import SUITE, StoredOnServer, read_all, use_server
from tools.config.paths import DataPaths
from tools.data import backup, init, restore, verify
from tools.data.atomic_files import InUse
from tools.data.existing_data import interrupted_restore
from tools.data.manifest import MANIFEST, describe, read_manifest
from tools.data.server_connections import connected
from tools.data.upgrade_steps import SERVER_STEPS, STEPS

pytestmark = pytest.mark.usefixtures("postgres_programs")

KINDS = [(), ("users",), ("shards", "plays")]
"""Which are on the server; without any, all."""
SCRIPTS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'quintet script'"


def change(suite: Mapping[str, StoredOnServer]) -> None:
    suite["users"].run("INSERT INTO users VALUES (gen_random_uuid(), 'late')")
    suite["games0"].run("DELETE FROM games")
    suite["words"].run("DROP TABLE words")


@pytest.mark.parametrize("kinds", KINDS, ids=" ".join)
def test_restored_suite_is_what_was_saved(
    kinds: tuple[str, ...],
    populated: DataPaths,
    populated_on_server: dict[str, StoredOnServer],
    backups: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use_server(monkeypatch, populated_on_server, *kinds)
    before, keys = read_all(populated_on_server), [key.read_bytes() for key in populated.keys]
    assert backup.main([str(backups / "set")]) == 0
    assert list_files(backups) == {"set"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (backups / "set").iterdir()} == {0o600}
    saved = json.loads((backups / "set" / MANIFEST).read_text(encoding="utf-8"))
    assert (saved["players"], saved["games"], saved["shards"]) == (300, 3000, 3)
    change(populated_on_server)
    for key in populated.keys:
        key.unlink()

    assert restore.main([str(backups / "set"), "--force"]) == 0

    assert "300 players and 3,000 games as of 20" in capsys.readouterr().out.splitlines()[-1]
    assert [key.read_bytes() for key in populated.keys] == keys
    assert verify.main([]) == 0
    used = {name for name in SUITE if not kinds or name in kinds or ("shards" in kinds and name.startswith("games"))}
    after = read_all({name: populated_on_server[name] for name in used})
    assert after == {table: rows for table, rows in before.items() if table.split(".")[0] in used}
    capsys.readouterr()
    assert init.main([]) == 0
    assert capsys.readouterr().out == "All databases and keys exist: nothing to do.\n"


def test_restored_database_has_the_same_schema(suite: dict[str, StoredOnServer], backups: Path) -> None:
    queries = (
        "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname",
        "SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname",
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY conname",
        "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY viewname",
        "SELECT table_name, column_name, data_type, collation_name, is_identity FROM information_schema.columns"
        " WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
    )
    before = {name: [suite[name].read(query) for query in queries] for name in SUITE}
    backup.main([str(backups / "set")])
    restore.main([str(backups / "set"), "--force"])
    assert {name: [suite[name].read(query) for query in queries] for name in SUITE} == before


def test_restore_on_a_server_ends_all_sessions(suite: dict[str, StoredOnServer], backups: Path) -> None:
    suite["users"].run(
        "INSERT INTO sessions (token_digest, user_id, started_at, expires_at)"
        " SELECT '\\x00', user_id, '2026-01-01 12:00:00Z', '9999-12-31 12:00:00Z' FROM users LIMIT 1"
    )
    backup.main([str(backups / "set")])
    restore.main([str(backups / "set"), "--force"])
    assert suite["users"].read("SELECT * FROM sessions") == []
    assert suite["users"].read("SELECT count(*) FROM users") == [(300,)]


@pytest.mark.parametrize(("made_on", "restored_to"), [("servers", "files"), ("files", "servers")])
def test_backup_is_not_restored_to_the_other_engine(
    made_on: str,
    restored_to: str,
    populated: DataPaths,
    populated_suite: dict[str, StoredOnServer],
    backups: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        if made_on == "servers":
            use_server(patch, populated_suite, "users")
        backup.main([str(backups / "set")])
    if restored_to == "servers":
        use_server(monkeypatch, populated_suite, "users")
    name, place = ("users.dump", "in a file") if made_on == "servers" else ("users.db", "on a server")
    with pytest.raises(SystemExit, match=f"set has {name}, and the settings have this database {place}: a backup"):
        restore.main([str(backups / "set"), "--force"])


def rewrite(folder: Path, name: str, content: bytes) -> None:
    """Replaces a file of a backup, and its checksum."""
    (folder / name).write_bytes(content)
    manifest = read_manifest(folder)
    files = tuple(describe(folder / name) if entry.name == name else entry for entry in manifest.files)
    (folder / MANIFEST).write_text(manifest.model_copy(update={"files": files}).model_dump_json(), encoding="utf-8")


@pytest.mark.parametrize("size", [0, 100, -3000])
def test_dump_that_cannot_be_read_changes_nothing(size: int, suite: dict[str, StoredOnServer], backups: Path) -> None:
    backup.main([str(backups / "set")])
    before = read_all(suite)
    content = (backups / "set" / "games2.dump").read_bytes()
    rewrite(backups / "set", "games2.dump", content[:size])
    with pytest.raises((subprocess.CalledProcessError, SystemExit)):
        restore.main([str(backups / "set"), "--force"])
    assert read_all(suite) == before
    assert init.main([]) == 0


def test_damaged_dump_is_named(suite: dict[str, StoredOnServer], backups: Path) -> None:
    backup.main([str(backups / "set")])
    path = backups / "set" / "plays.dump"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(SystemExit, match=f"^{path} is damaged: its checksum"):
        restore.main([str(backups / "set"), "--force"])


def test_dump_that_verify_rejects_changes_nothing(suite: dict[str, StoredOnServer], backups: Path) -> None:
    """A dump of another moment."""
    backup.main([str(backups / "first")])
    suite["games1"].run("DELETE FROM standings")
    suite["games1"].run("DELETE FROM score_counts")
    suite["games1"].run("DELETE FROM game_counts")
    suite["games1"].run("DELETE FROM games")
    suite["users"].run("DELETE FROM users WHERE user_id NOT IN (SELECT user_id FROM users LIMIT 1)")
    for name in ("games0", "games2"):
        for table in ("games", "standings", "score_counts", "game_counts"):
            suite[name].run(f"DELETE FROM {table}")  # noqa: S608 - names of ours
    backup.main([str(backups / "second")])
    before = read_all(suite)
    rewrite(backups / "second", "games0.dump", (backups / "first" / "games0.dump").read_bytes())
    with pytest.raises(SystemExit, match=r"second is damaged: it has .* differences, among them: .* is no user"):
        restore.main([str(backups / "second"), "--force"])
    assert read_all(suite) == before


def test_restore_is_refused_while_a_service_is_connected(suite: dict[str, StoredOnServer], backups: Path) -> None:
    backup.main([str(backups / "set")])
    before = read_all(suite)
    with connected(suite["answers"].url) as service:
        service.execute("SET application_name = 'quintet'")
        with pytest.raises(InUse, match=f"^{suite['answers'].url} is in use: stop the services first"):
            restore.main([str(backups / "set"), "--force"])
    assert read_all(suite) == before


def start_restore(suite: Mapping[str, StoredOnServer], folder: Path) -> subprocess.Popen[str]:
    """It has dropped the tables of users in its transaction."""
    script = start_script("tools.data.restore", str(folder), "--force")
    begun = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'users'::regclass"
    wait_until(lambda: suite["users"].read(begun) != [(0,)] or script.poll() is not None)
    return script


def test_stopped_restore_changes_nothing_and_says_so(suite: dict[str, StoredOnServer], backups: Path) -> None:
    backup.main([str(backups / "set")])
    before = read_all(suite)
    script = start_restore(suite, backups / "set")
    script.terminate()
    _, said = script.communicate(timeout=60)
    assert said == "bin/restore: Stopped by SIGTERM.\n"
    assert read_all(suite) == before


def test_service_that_connects_during_a_restore_undoes_it(suite: dict[str, StoredOnServer], backups: Path) -> None:
    backup.main([str(backups / "set")])
    change(suite)
    users = suite["users"].read("SELECT count(*) FROM users")
    script = start_restore(suite, backups / "set")
    with connected(suite["users"].url) as service:
        service.execute("SET application_name = 'quintet'")
        _, said = script.communicate(timeout=60)
        assert script.returncode == 1
        assert f"{suite['users'].url} is in use: stop the services first." in said
    assert suite["users"].read("SELECT count(*) FROM users") == users


def test_players_on_a_server_are_not_replaced_without_force(suite: dict[str, StoredOnServer], backups: Path) -> None:
    backup.main([str(backups / "set")])
    with pytest.raises(SystemExit, match="already has players or games, so nothing was changed: bin/restore --force"):
        restore.main([str(backups / "set")])


def test_backup_is_restored_to_databases_without_tables(
    suite: dict[str, StoredOnServer],
    on_server: dict[str, StoredOnServer],
    backups: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backup.main([str(backups / "set")])
    use_server(monkeypatch, on_server)
    assert restore.main([str(backups / "set")]) == 0
    assert read_all(on_server) == read_all(suite)


def test_scripts_refuse_after_an_interrupted_restore(suite: dict[str, StoredOnServer], populated: DataPaths,
    backups: Path,
) -> None:  # fmt: skip
    backup.main([str(backups / "set")])
    interrupted_restore(populated).touch()
    for script, arguments in ((init.main, []), (verify.main, []), (backup.main, [str(backups / "next")])):
        with pytest.raises(SystemExit, match=r"^A restore was interrupted .*: run bin/restore --force again\.$"):
            script(arguments)
    assert restore.main([str(backups / "set"), "--force"]) == 0
    assert verify.main([]) == 0


@pytest.mark.faults
def test_killed_restore_leaves_all_or_none_or_says_so(
    suite: dict[str, StoredOnServer], populated: DataPaths, backups: Path
) -> None:
    backup.main([str(backups / "set")])
    new = read_all(suite)
    suite["users"].run("INSERT INTO users VALUES (gen_random_uuid(), 'late')")
    suite["words"].run("DELETE FROM words WHERE word < 'b'")
    old, outcomes = read_all(suite), set()
    for number in range(30):
        script = start_script("tools.data.restore", str(backups / "set"), "--force")
        with suppress(subprocess.TimeoutExpired):
            script.wait(0.5 + number / 10)
        script.kill()
        script.communicate()
        wait_until(lambda: suite["users"].read(SCRIPTS) == [(0,)])
        found = read_all(suite)
        outcomes.add(found == new)
        assert found in (old, new) or interrupted_restore(populated).exists()
        if found == new:
            break
    assert outcomes == {False, True}, "every one ended before or after its work"
    assert restore.main([str(backups / "set"), "--force"]) == 0
    assert read_all(suite) == new


def test_dump_of_an_earlier_version_is_upgraded(
    suite: dict[str, StoredOnServer], backups: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backup.main([str(backups / "set")])
    monkeypatch.setitem(STEPS, "words.sql", (*STEPS["words.sql"], lambda _: []))
    monkeypatch.setitem(SERVER_STEPS, "words.sql", (1, ("CREATE TABLE added (i INTEGER PRIMARY KEY)",)))
    assert restore.main([str(backups / "set"), "--force"]) == 0
    assert f"Upgraded {suite['words'].url} to version 2." in capsys.readouterr().out
    assert suite["words"].read("SELECT i FROM added") == []
