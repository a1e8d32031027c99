"""What bin/moveshard refuses, as far as one server shows it; test_moveshard.py has two."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.postgres_server import ROLE, SUPERUSER, PostgresServer
from tests.support.stored import StoredOnServer, drop_database, make_database, new_copy
from tools.config.paths import DataPaths
from tools.data import moveshard
from tools.data.move_checks import Move, find_move, has_moved, refuse_unsuitable
from tools.data.server_connections import connected

OLD, NEW = "postgresql://postgres@old/games1", "postgresql://postgres@new:5433/games1"


@pytest.fixture(scope="module")
def words(populated_suite: dict[str, StoredOnServer]) -> Iterator[StoredOnServer]:
    with new_copy(populated_suite["words"]) as copy:
        yield copy


@pytest.fixture(scope="module")
def empty(postgres_server: PostgresServer) -> Iterator[StoredOnServer]:
    database = make_database(postgres_server, "empty")
    yield database
    drop_database(database)


@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        (
            OLD,
            "postgresql://postgres@other/games1",
            "No setting has the hosts old:5432,other:5432 with the database ga",
        ),
        (OLD, NEW.replace("games1", "games2"), "should name the same database on two servers"),
        (OLD, OLD.replace("old", "old:5432"), "should name the same database on two servers"),
    ],
)
def test_urls_that_do_not_fit_the_settings_are_refused(source: str, target: str, sentence: str, tmp_path: Path) -> None:
    data_paths = DataPaths.in_folder(tmp_path)
    on_servers = {data_paths.shards[1]: "postgresql://quintet@old,new:5433/games1"}
    with pytest.raises(SystemExit, match=sentence):
        find_move(replace(data_paths, on_servers=on_servers), source, target)


@pytest.mark.parametrize("url", ["sqlite:///var/games1.db", "postgresql://postgres@old,new/games1"])
def test_url_of_no_single_server_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        moveshard.main(["--from", url, "--to", NEW])
    assert "with one host" in capsys.readouterr().err


def move_words(words: StoredOnServer) -> Move:
    """To the same server under another name."""
    source = words.server.url(words.name, role=SUPERUSER)
    return Move(source, source.replace("127.0.0.1", "localhost"), words.url, ROLE, "words.sql")


def test_new_database_that_is_not_fenced_is_refused(words: StoredOnServer) -> None:
    with pytest.raises(SystemExit, match=f'run ALTER ROLE "{ROLE}" IN DATABASE "{words.name}" SET default_transaction'):
        has_moved(move_words(words))


def test_old_database_that_is_fenced_is_refused(words: StoredOnServer) -> None:
    with (
        words.server.fenced(words.name),
        pytest.raises(SystemExit, match="Services cannot write to"),
    ):
        has_moved(move_words(words))


def refuse(move: Move, target: str, sentence: str) -> None:
    with connected(move.source) as old, connected(target) as new, pytest.raises(SystemExit, match=sentence):
        refuse_unsuitable(move, old, new)


def test_role_without_rights_or_of_the_services_is_refused(words: StoredOnServer, empty: StoredOnServer) -> None:
    target = empty.server.url(empty.name, role=SUPERUSER)
    sentence = "should name a superuser, and not the role of the services"
    refuse(replace(move_words(words), source=words.url), target, sentence)
    refuse(replace(move_words(words), role=SUPERUSER), target, sentence)


def test_database_of_another_version_is_refused(words: StoredOnServer, empty: StoredOnServer) -> None:
    words.run("UPDATE schema_version SET version = 0")
    refuse(move_words(words), empty.server.url(empty.name, role=SUPERUSER), "has schema version 0.*: run bin/init")
    words.run("UPDATE schema_version SET version = 1")


def test_new_database_with_tables_is_refused(words: StoredOnServer) -> None:
    refuse(move_words(words), move_words(words).source, r"has tables already \(schema_version, words\)")
