"""A move that fails or is killed changes nothing, or is finished by the next one: no row is lost or doubled."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from servicekit.db.moves import INCOMPLETE, MOVED
from tests.support.moved_suites import MovedSuite, add_rows, move
from tests.support.scripts import TIMEOUT_S, list_files, start_script
from tests.support.stored import StoredOnServer
from tools.config.paths import ROOT, DataPaths


def test_full_disk_changes_nothing(old: MovedSuite, new: MovedSuite, file: Path) -> None:
    rows = old.read_all()
    script = f"ulimit -f 40; exec {sys.executable} -m tools.data.reshard --to {file}"
    ended = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert ended.returncode == 1
    assert "cannot be written" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(old.can_be_used()) == 7
    assert set(new.read_versions().values()) == {None}
    move(file)
    assert new.read_all() == rows


def test_target_that_fails_leaves_the_old_databases_in_use(
    old: MovedSuite, server_suite: MovedSuite, tmp_path: Path
) -> None:
    rows = old.read_all()
    file = server_suite.write_settings(tmp_path / "new.env")
    last = server_suite.databases["games2"]
    assert isinstance(last, StoredOnServer)
    last.server.execute("REVOKE CREATE ON SCHEMA public FROM quintet", database=last.name)
    with pytest.raises(SystemExit, match="games2 cannot be used"):
        move(file)
    assert len(old.can_be_used()) == 7
    assert server_suite.can_be_used() == set()
    last.server.execute("GRANT CREATE ON SCHEMA public TO quintet", database=last.name)
    old.databases["users"].run("UPDATE users SET username = 'late' WHERE username LIKE 'Ada '' %'")
    move(file)
    assert server_suite.read_all() == rows | {"users": old.read_all()["users"]}


def test_move_that_was_not_decided_starts_again(old: MovedSuite, new: MovedSuite, file: Path) -> None:
    for name in ("users", "games1"):
        old.set_version(name, MOVED + 5)
    rows = old.read_all()
    move(file)
    assert new.read_all() == rows
    assert old.has_moved()
    assert len(set(old.read_versions().values())) == 1


def test_move_that_was_decided_is_only_finished(
    old: MovedSuite, new: MovedSuite, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    move(file)
    number = next(version for version in old.read_versions().values() if version is not None) - MOVED
    new.databases["users"].run("UPDATE users SET username = 'registered since' WHERE username LIKE 'Ada '' %'")
    rows = new.read_all()
    for name in ("plays", "games0", "games11"):
        new.set_version(name, INCOMPLETE + number)
    capsys.readouterr()
    move(file)
    assert capsys.readouterr().out.startswith("Finished the move that was interrupted")
    assert new.read_all() == rows
    assert len(new.can_be_used()) == 16


def start_signalled(
    file: Path, function: str, call: int, signum: signal.Signals = signal.SIGKILL
) -> subprocess.Popen[str]:
    script = ("tools.data.reshard", function, str(call), str(int(signum)), "--to", str(file))
    return start_script("tests.support.killed_script", *script)


@pytest.mark.parametrize(
    ("function", "call"),
    [
        pytest.param("stage", 5, marks=pytest.mark.faults),
        pytest.param("copy_rows", 4, marks=pytest.mark.faults),
        ("compare", 3),  # the last step before the decision, with most to take back
    ],
)
def test_move_that_is_stopped_leaves_the_old_databases_in_use(
    function: str, call: int, old: MovedSuite, server_suite: MovedSuite, populated: DataPaths, tmp_path: Path
) -> None:
    rows, files = old.read_all(), list_files(populated.folder)
    file = server_suite.write_settings(tmp_path / "new.env")
    script = start_signalled(file, function, call, signal.SIGTERM)
    _, errors = script.communicate(timeout=TIMEOUT_S)
    assert (script.returncode, errors.splitlines()[-1:]) == (143, ["bin/killed_script: Stopped by SIGTERM."])
    assert len(old.can_be_used()) == 7
    assert server_suite.can_be_used() == set()
    assert list_files(populated.folder) == files
    move(file)
    assert server_suite.read_all() == rows


def test_move_that_is_being_decided_is_not_stopped(old: MovedSuite, new: MovedSuite, file: Path) -> None:
    script = start_signalled(file, "mark", 3, signal.SIGTERM)
    output, errors = script.communicate(timeout=TIMEOUT_S)
    assert script.returncode == 0, errors
    assert "put the lines of" in output
    assert old.has_moved()
    assert len(new.can_be_used()) == 16


def check_killed(old: MovedSuite, new: MovedSuite, file: Path, function: str, call: int) -> None:
    """Kills a move at a call of a function, and runs it again."""
    rows = old.read_all()
    script = start_signalled(file, function, call)
    _, errors = script.communicate(timeout=TIMEOUT_S)
    assert script.returncode == -signal.SIGKILL, errors
    assert old.has_moved() or not new.can_be_used()
    assert old.read_all() == rows
    if old.has_moved() and len(new.can_be_used()) == len(new.databases):
        with pytest.raises(SystemExit, match="Nothing to move"):
            move(file)
    else:
        move(file)
    assert old.has_moved()
    assert new.read_all() == rows
    assert len(new.can_be_used()) == len(new.databases)


@pytest.mark.faults  # each starts a process, and moves twice
@pytest.mark.parametrize(
    ("function", "call"), [("stage", 4), ("_rename_listed", 1), ("mark", 5), ("admit_services", 1), ("set_version", 4)]
)
def test_killed_move_loses_and_doubles_nothing(function: str, call: int, old: MovedSuite, tmp_path: Path) -> None:
    new = MovedSuite.in_files(DataPaths.in_folder(tmp_path / "new", shards=4))
    check_killed(old, new, new.write_settings(tmp_path / "new.env"), function, call)


@pytest.mark.faults
@pytest.mark.parametrize(("function", "call"), [("create_on_server", 6), ("set_version", 3)])
def test_killed_move_to_a_server_loses_and_doubles_nothing(
    function: str, call: int, old: MovedSuite, server_suite: MovedSuite, tmp_path: Path
) -> None:
    check_killed(old, server_suite, server_suite.write_settings(tmp_path / "new.env"), function, call)


@pytest.mark.faults
def test_killed_move_from_a_server_loses_and_doubles_nothing(
    old: MovedSuite, server_suite: MovedSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move(server_suite.write_settings(tmp_path / "first.env"))
    server_suite.use(monkeypatch)
    new = MovedSuite.in_files(DataPaths.in_folder(tmp_path / "new", shards=2))
    check_killed(server_suite, new, new.write_settings(tmp_path / "second.env"), "mark", 5)


@pytest.mark.faults
@pytest.mark.parametrize("part", range(4))
def test_move_may_be_killed_at_any_call(
    part: int, populated: DataPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At sixty of its calls, half of them among the last ones, where databases are marked."""
    add_rows(MovedSuite.in_files(populated))
    number = 0

    def begin() -> tuple[MovedSuite, MovedSuite, Path]:
        nonlocal number
        number += 1
        folder = tmp_path / str(number)
        shutil.copytree(populated.folder, folder / "var")
        old = MovedSuite.in_files(DataPaths.in_folder(folder / "var"))
        old.use(monkeypatch)
        new = MovedSuite.in_files(DataPaths.in_folder(folder / "new", shards=4))
        return old, new, new.write_settings(folder / "new.env")

    script = start_signalled(begin()[2], "any", 0)
    calls = int(script.communicate(timeout=TIMEOUT_S)[0].splitlines()[-1])
    points = sorted({*range(1, calls, calls // 30), *range(calls - 300, calls, 10)})
    for call in points[part::4]:
        check_killed(*begin(), "any", call)
