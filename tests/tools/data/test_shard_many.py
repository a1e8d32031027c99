"""bin/shard on what the course's exercise makes: a file of users and files of games, with UUIDs."""

import random
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from servicekit.db.sharding import shard_number
from stats.results import Result
from tests.support.old_databases import CREATE_LOOSE_TABLES, dump_file, make_dump, make_file, to_utc
from tests.support.results import count_statistics
from tests.support.scripts import list_files, read_contents, read_rows, write_rows
from tools.config.paths import DataPaths
from tools.data import init, shard, verify
from tools.data.shard import import_sources

Row: TypeAlias = tuple[Any, ...]

NAMES = [f"player {number}" for number in range(40)]
USERS = {uuid4(): name for name in NAMES}
GAMES: list[Row] = [
    (user, game_id, f"2022-01-{1 + game_id // 2:02}", 1 + (game_id + len(name)) % 6, game_id % 5 > 0)
    for user, name in USERS.items()
    for game_id in range(20)
]
"""Two games a day; every fifth is lost."""
AMBIGUOUS = UUID("d75a5c4a-8863-4344-b4c7-250e15076ba0")
"""Of version 4 in either byte order."""

Store: TypeAlias = Callable[[UUID], object]
STORES: dict[str, Store] = {
    "hyphens": str,
    "hex": lambda user: user.hex,
    "upper case": lambda user: str(user).upper(),
    "braces": lambda user: f"{{{user}}}",
    "urn": lambda user: user.urn,
    "big-endian": lambda user: user.bytes,
    "mixed-endian": lambda user: user.bytes_le,
}


def make_part(path: Path, table: str, rows: Iterable[Row]) -> Path:
    """A file with one of the two tables."""
    make_file(
        path, users=rows if table == "users" else [], games=rows if table == "games" else [], schema=CREATE_LOOSE_TABLES
    )
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"DROP TABLE {'games' if table == 'users' else 'users'}")
    return path


def make_sources(folder: Path, store: Store = str, *, store_in_games: Store | None = None) -> list[Path]:
    """Users, and three files of games in which each game is wherever the exercise's own rule would not look for it."""
    store_in_games = store_in_games or store
    users = [(store(user), name) for user, name in USERS.items()]
    games = [(store_in_games(user), *rest) for user, *rest in GAMES]
    random.Random(1).shuffle(games)  # noqa: S311 - any order will do
    parts = [make_part(folder / f"games{n}.db", "games", games[n - 1 :: 3]) for n in (1, 2, 3)]
    return [make_part(folder / "users.db", "users", users), *parts]


def read_users(data_paths: DataPaths) -> dict[UUID, str]:
    return {UUID(bytes=user): name for user, name in read_rows(data_paths.users, "SELECT user_id, username FROM users")}


def read_games(data_paths: DataPaths) -> list[Row]:
    sql = "SELECT user_id, game_id, finished, guesses, won FROM games"
    rows = [row for path in data_paths.shards for row in read_rows(path, sql)]
    return sorted(
        (UUID(bytes=user), game_id, finished[:10], guesses, bool(won)) for user, game_id, finished, guesses, won in rows
    )


def assert_all_arrived(data_paths: DataPaths) -> None:
    assert read_users(data_paths) == USERS
    assert read_games(data_paths) == sorted(GAMES)
    for number, path in enumerate(data_paths.shards):
        for (key,) in read_rows(path, "SELECT user_id FROM games UNION SELECT user_id FROM standings"):
            assert shard_number(UUID(bytes=key), len(data_paths.shards)) == number


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_uuids_are_kept_in_whatever_form_they_are_stored(unmade: DataPaths, tmp_path: Path, store: Store) -> None:
    summary, remarks = import_sources(make_sources(tmp_path, store), unmade)
    assert summary.startswith(f"{len(USERS)} users and {len(GAMES)} games of {tmp_path / 'users.db'}, ")
    assert remarks == []
    assert_all_arrived(unmade)


def test_users_and_games_may_store_ids_differently(unmade: DataPaths, tmp_path: Path) -> None:
    import_sources(make_sources(tmp_path, str, store_in_games=lambda user: user.bytes_le), unmade)
    assert_all_arrived(unmade)


def test_statistics_are_those_of_the_games_of_all_files(
    data_paths: DataPaths, stats_client: TestClient, tmp_path: Path
) -> None:
    import_sources(make_sources(tmp_path), data_paths)
    for player in USERS:
        results = [
            Result(finished=to_utc(finished), guesses=guesses, won=won)
            for user, _, finished, guesses, won in GAMES
            if user == player
        ]
        assert stats_client.get(f"/users/{player}").json() == count_statistics(results)


def test_what_was_brought_in_is_verified_without_a_difference(unmade: DataPaths, tmp_path: Path) -> None:
    import_sources(make_sources(tmp_path), unmade)
    init.main([])
    assert verify.main([]) == 0


def test_one_file_with_uuids_is_brought_in_too(unmade: DataPaths, tmp_path: Path) -> None:
    users = [(user.bytes_le, name) for user, name in USERS.items()]
    games = [(user.bytes_le, *rest) for user, *rest in GAMES]
    import_sources([make_file(tmp_path / "all.db", users=users, games=games, schema=CREATE_LOOSE_TABLES)], unmade)
    assert_all_arrived(unmade)


def test_integers_in_several_files_get_uuids(unmade: DataPaths, tmp_path: Path) -> None:
    numbers = {user: number for number, user in enumerate(USERS, start=1)}
    import_sources(make_sources(tmp_path, numbers.__getitem__), unmade)
    ids = {name: user for user, name in read_users(unmade).items()}
    assert sorted(ids) == sorted(NAMES)
    assert not set(ids.values()) & set(USERS)
    assert read_games(unmade) == sorted((ids[USERS[user]], *rest) for user, *rest in GAMES)


def test_second_run_changes_nothing_in_any_form_of_ids(unmade: DataPaths, tmp_path: Path) -> None:
    for name in ("first", "again", "dumped"):
        (tmp_path / name).mkdir()
    import_sources(make_sources(tmp_path / "first"), unmade)
    before = read_contents(unmade)

    again = make_sources(tmp_path / "again", lambda user: user.bytes_le)
    dumps = [make_dump(tmp_path / "dumped" / f"{path.stem}.sql", dump_file(path)) for path in again]
    for sources in (again, again[::-1], dumps, [*again, again[1]]):
        summary, remarks = import_sources(sources, unmade)
        assert "UTC, so nothing was changed" in summary
        assert remarks == []
    assert read_contents(unmade) == before

    write_rows(again[2], "DELETE FROM games WHERE rowid = 1")
    with pytest.raises(SystemExit, match="already has players"):
        import_sources(again, unmade)
    assert read_contents(unmade) == before


def test_same_result_in_two_files_is_taken_once(unmade: DataPaths, tmp_path: Path) -> None:
    sources = make_sources(tmp_path)
    (user, game_id, finished, guesses, won) = GAMES[7]
    repeated = [(user.hex, game_id, f"{finished}T00:00Z", guesses, won), (str(user), game_id, finished, guesses, won)]
    _, remarks = import_sources([*sources, make_part(tmp_path / "more.db", "games", repeated)], unmade)
    assert remarks == ["Duplicate rows of games with the same result, which were imported once: 2."]
    assert_all_arrived(unmade)


def refuse(sources: Sequence[Path], data_paths: DataPaths) -> str:
    """The sentence; nothing is there afterwards."""
    with pytest.raises(SystemExit) as refusal:
        import_sources(sources, data_paths)
    assert list_files(data_paths.folder) == set()
    return str(refusal.value.code)


def test_another_result_of_the_same_game_is_refused(unmade: DataPaths, tmp_path: Path) -> None:
    sources = make_sources(tmp_path)
    (user, game_id, finished, guesses, _) = GAMES[7]
    more = make_part(tmp_path / "more.db", "games", [(user.hex, game_id, finished, guesses % 6 + 1, 1)])
    refusal = refuse([*sources, more], unmade)
    assert f"games (user_id, game_id) with several results: ('{user}', {game_id}) in " in refusal
    assert refusal.endswith(f" and {more}")


def test_games_of_unknown_users_are_refused_with_their_ids(unmade: DataPaths, tmp_path: Path) -> None:
    sources = make_sources(tmp_path)
    strangers = sorted(uuid4() for _ in range(12))
    games = [(stranger.hex, game_id, "2022-01-01", 3, 1) for stranger in strangers for game_id in range(5)]
    more = make_part(tmp_path / "more.db", "games", games)
    refusal = refuse([*sources, more], unmade)
    assert "user_ids of games that are not in users: " in refusal
    assert f"('{strangers[0].hex}') in {more}" in refusal
    assert refusal.endswith(f"('{strangers[9].hex}') in {more} and 2 more")


def test_byte_order_that_cannot_be_told_is_asked_for(
    unmade: DataPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bob = uuid4()
    users = make_part(tmp_path / "users.db", "users", [(AMBIGUOUS.bytes, "ada"), (str(bob), "bob")])
    games = make_part(
        tmp_path / "games1.db", "games", [(AMBIGUOUS.bytes, game_id, "2022-01-01", 3, 1) for game_id in (1, 2)]
    )
    assert "--byte-order" in refuse([users, games], unmade)

    assert shard.main([str(users), str(games), "--byte-order", "mixed"]) == 0
    assert capsys.readouterr().out.startswith(f"2 users and 2 games of {users}, {games} were imported: ")
    assert read_users(unmade) == {UUID(bytes_le=AMBIGUOUS.bytes): "ada", bob: "bob"}


def test_killed_run_leaves_no_copy_of_the_text_behind(unmade: DataPaths, tmp_path: Path) -> None:
    sources = make_sources(tmp_path)
    unmade.folder.mkdir()
    (unmade.folder / f".{shard.SCRATCH}.new").write_text("half", encoding="utf-8")
    import_sources(sources, unmade)
    assert list_files(unmade.folder) == {path.name for path in unmade.players}


COURSE_STREAKS = """
WITH ranks AS (
    SELECT DISTINCT user_id, finished, RANK() OVER (PARTITION BY user_id ORDER BY finished) AS rank FROM games WHERE won
), runs AS (
    SELECT user_id, DATE(finished, '-' || rank || ' days') AS run FROM ranks
)
SELECT user_id, COUNT(*) FROM runs GROUP BY user_id, run HAVING COUNT(*) > 1
"""
"""The course's view `streaks`, in fewer words: after two wins on one day RANK leaves out a number, and the run ends."""


def test_two_wins_on_a_day_end_a_streak_in_the_courses_view_only(unmade: DataPaths, tmp_path: Path) -> None:
    plain, twice = uuid4(), uuid4()
    days = {plain: (1, 2, 3, 5), twice: (1, 2, 2, 3, 4)}
    games = [
        (str(user), game_id, f"2022-01-{day:02}", 3, 1)
        for user, played in days.items()
        for game_id, day in enumerate(played)
    ]
    users = [(str(plain), "plain"), (str(twice), "twice")]
    source = make_file(tmp_path / "old.db", users=users, games=games, schema=CREATE_LOOSE_TABLES)
    import_sources([source], unmade)

    ours = [row for path in unmade.shards for row in read_rows(path, "SELECT user_id, streak FROM streaks")]
    assert sorted(read_rows(source, COURSE_STREAKS)) == sorted([(str(plain), 3), (str(twice), 2), (str(twice), 2)])
    assert sorted(ours) == sorted([(plain.bytes, 3), (plain.bytes, 1), (twice.bytes, 4)])
