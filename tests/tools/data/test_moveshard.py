"""bin/moveshard between two servers, without services; tests/faults/test_moveshard.py moves a shard under load."""

import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.moved_databases import MovedDatabase, prepared_move
from tests.support.polling import wait_until
from tests.support.postgres_server import ROLE, PostgresServer
from tests.support.scripts import TIMEOUT_S, start_script
from tests.support.stored import StoredOnServer, new_copy, use_server
from tools.config.paths import DataPaths
from tools.data import init, moveshard, verify
from tools.data.atomic_files import InUse
from tools.data.move_checks import Move, refuse_unsuitable
from tools.data.replication import catch_up, start, wait_for_copy
from tools.data.server_connections import connected
from tools.data.server_databases import SERVER_SCHEMAS

pytestmark = pytest.mark.faults


@pytest.fixture
def moved(
    populated: DataPaths,
    populated_suite: dict[str, StoredOnServer],
    second_server: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[MovedDatabase]:
    """Of the users, unless a test names another one. The other databases of the suite are shared by the tests."""
    monkeypatch.setenv("BUSY_TIMEOUT_MS", "200")  # no service runs, whose connection attempts take longer
    name = getattr(request, "param", "users")
    with new_copy(populated_suite[name]) as old, prepared_move(old, second_server) as moved:
        use_server(monkeypatch, populated_suite | {name: old})
        moved.use_both(monkeypatch)
        yield moved


def check_moved(moved: MovedDatabase) -> None:
    assert moved.list_writable() == ["new"]
    assert not moved.has_replication()
    assert moved.read_rows(moved.new) == moved.read_rows(moved.old)
    assert verify.main([]) == 0


@pytest.mark.parametrize("moved", ["plays", "words", "games2"], indirect=True)
def test_database_of_any_kind_moves(moved: MovedDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    assert moveshard.main(moved.arguments) == 0
    assert "Moved " in capsys.readouterr().out
    check_moved(moved)
    assert init.main([]) == 0
    assert moveshard.main(moved.arguments) == 0
    assert "write to postgresql://postgres@127.0.0.1" in capsys.readouterr().out
    check_moved(moved)


def test_new_rows_have_numbers_after_those_that_moved(moved: MovedDatabase) -> None:
    insert = "INSERT INTO login_attempts (name_digest, address, is_known, attempted_at) VALUES ('a', 'b', true, 1)"
    for _ in range(3):
        moved.old.run(insert)
    moveshard.main(moved.arguments)
    moved.new.run(insert)
    assert moved.new.read("SELECT attempt FROM login_attempts ORDER BY 1") == [(1,), (2,), (3,), (4,)]


def start_signalled(moved: MovedDatabase, function: str, call: int, signum: int) -> subprocess.Popen[str]:
    signalled = ("tools.data.moveshard", function, str(call), str(int(signum)))
    return start_script("tests.support.killed_script", *signalled, *moved.arguments)


@pytest.mark.parametrize(
    ("function", "call"),
    [("list_tables", 3), ("wait_for_copy", 1), ("end_sessions", 1), ("count_rows", 2)],
)
def test_stopped_move_leaves_everything_as_before(moved: MovedDatabase, function: str, call: int) -> None:
    rows = moved.read_rows(moved.old)
    script = start_signalled(moved, function, call, signal.SIGTERM)
    _, errors = script.communicate(timeout=TIMEOUT_S)
    assert (script.returncode, errors) == (143, "bin/killed_script: Stopped by SIGTERM.\n")
    assert moved.list_writable() == ["old"]
    assert not moved.has_replication()
    assert moved.read_rows(moved.old) == rows
    assert moved.read_rows(moved.new) == {}
    assert moveshard.main(moved.arguments) == 0
    check_moved(moved)


def test_copy_that_is_stopped_leaves_everything_as_before(moved: MovedDatabase) -> None:
    server = moved.new.server
    server.execute("ALTER SYSTEM SET max_sync_workers_per_subscription = 0", "SELECT pg_reload_conf()")
    try:
        script = start_script("tools.data.moveshard", *moved.arguments)
        wait_until(lambda: server.fetch("SELECT count(*) FROM pg_subscription WHERE subenabled") == [(1,)])
        script.terminate()
        _, errors = script.communicate(timeout=TIMEOUT_S)
    finally:
        server.execute("ALTER SYSTEM RESET max_sync_workers_per_subscription", "SELECT pg_reload_conf()")
    assert (script.returncode, errors) == (143, "bin/moveshard: Stopped by SIGTERM.\n")
    assert moved.list_writable() == ["old"]
    assert not moved.has_replication()
    assert moved.read_rows(moved.new) == {}


@pytest.mark.parametrize(
    ("function", "call"), [*(("execute", call) for call in (7, 8, 9, 12, 13, 14)), ("remove_publication", 2)]
)
def test_killed_move_is_finished_by_the_next_one(moved: MovedDatabase, function: str, call: int) -> None:
    """Before the statements that change a database."""
    rows = moved.read_rows(moved.old)
    script = start_signalled(moved, function, call, signal.SIGKILL)
    _, errors = script.communicate(timeout=TIMEOUT_S)
    assert script.returncode == -signal.SIGKILL, errors
    assert moved.list_writable() in (["old"], [], ["new"])
    assert moveshard.main(moved.arguments) == 0
    check_moved(moved)
    assert moved.read_rows(moved.new) == rows


@pytest.mark.parametrize("moved", ["words"], indirect=True)
def test_catching_up_waits_for_commits_that_are_not_on_the_disk(moved: MovedDatabase) -> None:
    move = Move(moved.arguments[1], moved.arguments[3], moved.url, ROLE, "words.sql")
    with moveshard.locked(move.source) as old, moveshard.locked(move.target) as new:
        start(old, new, schema=(SERVER_SCHEMAS / move.schema).read_text(encoding="utf-8"), role=move.role)
        wait_for_copy(new)
        old.execute("SET synchronous_commit = off; INSERT INTO words VALUES ('zzzzz')")
        assert catch_up(old)
        assert new.fetch("SELECT count(*) FROM words WHERE word = 'zzzzz'")[0][0] == 1
        moveshard.undo(move, old, new)


def test_second_move_of_a_database_is_refused(moved: MovedDatabase) -> None:
    with moveshard.locked(moved.arguments[1]), pytest.raises(InUse, match="Another bin/moveshard"):
        moveshard.main(moved.arguments)


def test_old_server_without_logical_replication_is_refused(moved: MovedDatabase) -> None:
    source, target = moved.arguments[3], moved.arguments[1]
    move = Move(source, target, moved.url, ROLE, "users.sql")
    with connected(source) as old, connected(target) as new, pytest.raises(SystemExit, match="set wal_level = logical"):
        refuse_unsuitable(move, old, new)


def test_unprepared_databases_are_refused(moved: MovedDatabase) -> None:
    old, new = moved.old, moved.new
    new.server.execute(f"ALTER ROLE quintet IN DATABASE {new.name} RESET ALL")
    with pytest.raises(SystemExit, match=r"Services could write to .* before its rows are there: run ALTER ROLE"):
        moveshard.main(moved.arguments)
    new.server.execute(f"ALTER ROLE quintet IN DATABASE {new.name} SET default_transaction_read_only = on")
    new.run("CREATE TABLE mine (i INT)")
    with pytest.raises(SystemExit, match=r"has tables already \(mine\)"):
        moveshard.main(moved.arguments)
    new.run("DROP TABLE mine")
    old.run("CREATE TABLE mine (i INT)")
    with pytest.raises(SystemExit, match="other tables than Quintet makes: move or drop mine first"):
        moveshard.main(moved.arguments)
    assert moved.list_writable() == ["old"]
    assert not moved.has_replication()
    assert moved.read_rows(new) == {}
