"""The fingerprint of the public key in the users database: bin/init refuses other keys, and replaces them if asked."""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from servicekit.auth.tokens import Scope, TokenVerifier
from servicekit.db.sqlite_file import DatabaseFile
from tests.support.scripts import copy_keys, list_files, read_rows, use_databases, write_rows
from tests.support.stored import StoredOnServer, use_server
from tools.config.paths import DataPaths
from tools.data import init, populate
from tools.data.atomic_files import InUse
from tools.data.token_key import make_fingerprint, store_fingerprint

REFUSED = "are signed with other keys than this machine's: copy .*tokens.key and .*tokens.pub from another machine"
SELECT = "SELECT fingerprint FROM token_key"


def read_keys(data_paths: DataPaths) -> list[bytes]:
    return [path.read_bytes() for path in data_paths.keys]


def make_other_keys(data_paths: DataPaths, tmp_path: Path) -> None:
    """Puts the keys of another suite beside the databases."""
    other = DataPaths.in_folder(tmp_path / "other" / "var")
    other.folder.parent.mkdir()
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_databases(other, monkeypatch)
        init.main([])
    copy_keys(other, data_paths)


def test_users_database_keeps_the_fingerprint_of_the_key(unmade: DataPaths) -> None:
    init.main([])
    fingerprint = make_fingerprint(unmade.public_key)
    assert len(fingerprint) == 64
    assert read_rows(unmade.users, SELECT) == [(fingerprint,)]


def test_users_database_without_a_fingerprint_gets_one(unmade: DataPaths) -> None:
    init.main([])
    populate.main(["--users", "5", "--games", "10"])  # makes the database again
    assert read_rows(unmade.users, SELECT) == []
    init.main([])
    assert read_rows(unmade.users, SELECT) == [(make_fingerprint(unmade.public_key),)]


def test_other_keys_are_refused_and_change_nothing(unmade: DataPaths, tmp_path: Path) -> None:
    init.main([])
    stored = read_rows(unmade.users, SELECT)
    make_other_keys(unmade, tmp_path)
    keys = read_keys(unmade)
    with pytest.raises(SystemExit, match=REFUSED):
        init.main([])
    assert read_keys(unmade) == keys
    assert read_rows(unmade.users, SELECT) == stored


def test_missing_keys_are_not_made_for_existing_players(unmade: DataPaths) -> None:
    init.main([])
    files = list_files(unmade.folder)
    for key in unmade.keys:
        key.unlink()
    with pytest.raises(SystemExit, match=REFUSED):
        init.main([])
    assert list_files(unmade.folder) == files - {key.name for key in unmade.keys}


def test_private_key_of_another_suite_alone_is_refused(unmade: DataPaths, tmp_path: Path) -> None:
    init.main([])
    make_other_keys(unmade, tmp_path)
    unmade.public_key.unlink()
    with pytest.raises(SystemExit, match=REFUSED):
        init.main([])
    assert not unmade.public_key.exists()


def test_new_keys_replace_the_fingerprint_and_end_all_tokens(
    unmade: DataPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    init.main([])
    before = read_keys(unmade)
    capsys.readouterr()
    assert init.main(["--new-keys"]) == 0
    assert capsys.readouterr().out == f"Created {', '.join(map(str, unmade.keys))}.\n"
    assert all(new != old for new, old in zip(read_keys(unmade), before, strict=True))
    assert read_rows(unmade.users, SELECT) == [(make_fingerprint(unmade.public_key),)]
    caller = TokenVerifier(unmade.public_key).verify(unmade.service_token.read_text(encoding="ascii"))
    assert caller.scopes == {Scope.SERVICE}
    init.main([])  # is not refused


@pytest.mark.parametrize("lose", [Path.unlink, lambda path: path.write_bytes(b"no key")])
def test_new_keys_replace_keys_that_cannot_be_used(unmade: DataPaths, lose: Callable[[Path], object]) -> None:
    init.main([])
    lose(unmade.private_key)
    with pytest.raises(SystemExit, match=r"or make new ones with bin/init --new-keys"):
        init.main([])
    init.main(["--new-keys"])
    assert read_rows(unmade.users, SELECT) == [(make_fingerprint(unmade.public_key),)]


def test_new_keys_are_refused_while_a_service_runs(unmade: DataPaths) -> None:
    init.main([])
    before = read_keys(unmade)
    with closing(DatabaseFile(unmade.users, 1000).open_reader()) as service:
        service.execute("SELECT * FROM users").fetchall()
        with pytest.raises(InUse, match="stop the services first"):
            init.main(["--new-keys"])
    assert read_keys(unmade) == before


def test_upgraded_users_database_gets_the_fingerprint(unmade: DataPaths) -> None:
    init.main([])
    write_rows(unmade.users, "DROP TABLE token_key", "PRAGMA user_version = 3")
    init.main([])
    assert read_rows(unmade.users, SELECT) == [(make_fingerprint(unmade.public_key),)]


@pytest.fixture
def machines(tmp_path: Path, on_server: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch) -> list[DataPaths]:
    """Two machines, each with keys of its own; the first has made the users database that they share."""
    data_paths = [DataPaths.in_folder(tmp_path / name / "var") for name in ("first", "second")]
    for each in data_paths:
        each.folder.parent.mkdir()
        use_databases(each, monkeypatch)
        init.main([])
    use(data_paths[0], on_server, monkeypatch)
    init.main([])
    return data_paths


def use(machine: DataPaths, on_server: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch) -> None:
    use_databases(machine, monkeypatch)
    use_server(monkeypatch, on_server, "users")


def test_second_machine_needs_the_keys_of_the_first(
    machines: list[DataPaths], on_server: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = machines
    use(second, on_server, monkeypatch)
    with pytest.raises(SystemExit, match=f"The tokens of {on_server['users'].url} {REFUSED}"):
        init.main([])
    copy_keys(first, second)
    init.main([])
    assert on_server["users"].read(SELECT) == [(make_fingerprint(first.public_key),)]


def test_new_keys_replace_the_fingerprint_on_a_server(
    machines: list[DataPaths], on_server: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = machines
    use(second, on_server, monkeypatch)
    init.main(["--new-keys"])
    assert on_server["users"].read(SELECT) == [(make_fingerprint(second.public_key),)]


def test_of_two_machines_at_once_one_stores_its_key(
    machines: list[DataPaths], on_server: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_server["users"].run("DELETE FROM token_key")
    shared = [replace_users(machine, on_server["users"].url) for machine in machines]
    outcomes: list[SystemExit | None] = []

    def store(data_paths: DataPaths) -> None:
        barrier.wait(20)
        try:
            store_fingerprint(data_paths, replace=False)
            outcomes.append(None)
        except SystemExit as refused:
            outcomes.append(refused)

    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=store, args=(data_paths,)) for data_paths in shared]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome is None for outcome in outcomes) == [False, True]
    assert on_server["users"].read("SELECT count(*) FROM token_key") == [(1,)]


def replace_users(machine: DataPaths, url: str) -> DataPaths:
    """The machine with its users database on a server."""
    return replace(machine, on_servers={machine.users: url})
