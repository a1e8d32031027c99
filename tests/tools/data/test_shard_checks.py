"""bin/shard reads back what it wrote: rows that did not arrive, or arrived otherwise, are noticed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.old_databases import CREATE_MORE, CREATE_TABLES, make_file
from tests.support.scripts import write_rows
from tools.config.paths import DataPaths
from tools.data.legacy import gather
from tools.data.shard import build_all, check_duplicates, check_users, split_sources
from tools.data.shard_writer import History, build_users

NOW = datetime(2022, 6, 1, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return make_file(tmp_path / "old.db", schema=CREATE_TABLES + CREATE_MORE)


@pytest.fixture
def losing(file: Path, unmade: DataPaths) -> Iterator[tuple[Any, ...]]:
    """What `build_all` is given; the databases' folder is there."""
    unmade.folder.mkdir()
    with gather([file], unmade.folder / "scratch.db") as legacy:
        yield split_sources(legacy, [file], byte_order=None, shards=len(unmade.shards), now=NOW), legacy, unmade


def test_game_that_does_not_arrive_is_noticed(losing: tuple[Any, ...]) -> None:
    split, legacy, data_paths = losing
    legacy.execute("DELETE FROM temp.played WHERE rank = (SELECT MIN(rank) FROM temp.played)")
    with pytest.raises(SystemExit, match=r"games\d.db has .* instead of .*, so nothing was changed"):
        build_all(split, legacy, data_paths, checksum="", now=NOW)


def test_game_that_arrives_otherwise_than_it_was_is_noticed(losing: tuple[Any, ...]) -> None:
    split, legacy, data_paths = losing
    histories = [history.text.replace("2022-01-05", "2022-01-06") for history in split.histories]
    other = replace(
        split,
        histories=[History(old.games, text) for old, text in zip(split.histories, histories, strict=True)],
    )
    with pytest.raises(SystemExit, match="instead of"):
        build_all(other, legacy, data_paths, checksum="", now=NOW)


def test_game_that_is_not_taken_is_noticed(losing: tuple[Any, ...]) -> None:
    split, legacy, _ = losing
    check_duplicates(legacy, split)
    legacy.execute("INSERT INTO main.games SELECT * FROM main.games")
    check_duplicates(legacy, split)
    legacy.execute("INSERT INTO main.games (user_id, game_id) VALUES (5, 999)")
    with pytest.raises(SystemExit, match="Only 17 of 18 games were imported, so nothing was changed"):
        check_duplicates(legacy, split)


def test_user_who_does_not_arrive_is_noticed(losing: tuple[Any, ...], tmp_path: Path) -> None:
    split, _, _ = losing
    path = tmp_path / "users.db"
    build_users(path, split, checksum="", imported_at="2022-06-01 00:00:00")
    check_users(path, split)
    write_rows(path, "UPDATE users SET username = 'ADA' WHERE username = 'Ada'")
    with pytest.raises(SystemExit, match="stored users differ from those of the sources"):
        check_users(path, split)
