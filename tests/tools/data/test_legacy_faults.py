import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from tests.support.old_databases import CREATE_LOOSE_TABLES, GAMES, USERS, make_file
from tools.data.legacy import gather
from tools.data.legacy_faults import find_game_faults, find_user_faults
from tools.data.legacy_ids import map_ids
from tools.data.shard_writer import rank_users

LATEST = "2022-06-01 12:01:00"
GAMES_WHOSE = "games (user_id, game_id) whose"
FORMS = "SQLite's formats, such as YYYY-MM-DD HH:MM:SS"
WRONG_GUESSES = (
    "guesses are not an integer in 1-6, also for a lost game (if that is the only fault:"
    " UPDATE games SET guesses = 6 WHERE won = 0)"
)
PLAYERS = [UUID(f"1e0c5c4a-8863-4f04-b4c7-{number:012}") for number in range(30)]


def list_faults(*sources: Path) -> list[str]:
    with gather(sources, sources[0].with_name("scratch.db")) as legacy:
        identities = map_ids(legacy, None)
        rank_users(legacy, identities.ids, shards=3)
        users = find_user_faults(legacy, sources, identities)
        return users + find_game_faults(legacy, sources, latest=LATEST)


def test_sound_database_has_no_faults(tmp_path: Path) -> None:
    assert list_faults(make_file(tmp_path / "old.db")) == []


def test_username_of_digits_is_a_text(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db", users=[*USERS, (70, 1234)], schema=CREATE_LOOSE_TABLES)
    assert list_faults(source) == []


@pytest.mark.parametrize(
    ("users", "fault"),
    [
        ([("7", "text")], "users whose user_id is not of type integer: ('7')"),
        ([(None, "none")], "users whose user_id is not of type integer: (NULL)"),
        ([(bytes(16), "bytes")], f"users whose user_id is not of type integer: (X'{'00' * 16}')"),
        ([(5, "again"), (6, "too")], "user_ids with several usernames: (5), (6)"),
        ([(70, None), (71, b"ada"), (72, 1.5)], "users (user_id) whose username is not text: (70), (71), (72)"),
        ([(70, "Ada")], "usernames (with a user_id) of several users: ('Ada', 5)"),
        (
            [(70, f"deleted player {PLAYERS[0]}"), (71, "deleted player of the year")],
            "users (user_id) whose username is the placeholder of another account that has ended: (70)",
        ),
        ([(70, 12), (71, "12")], "usernames (with a user_id) of several users: ('12', 70)"),
    ],
)
def test_invalid_users_are_named(tmp_path: Path, users: list[tuple[object, object]], fault: str) -> None:
    source = make_file(tmp_path / "old.db", users=[*USERS, *users], schema=CREATE_LOOSE_TABLES)
    assert list_faults(source) == [fault]


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("user_id", 99, "user_ids of games that are not in users: (99)"),
        ("user_id", "5", "user_ids of games that are not in users: ('5')"),
        ("user_id", None, "user_ids of games that are not in users: (NULL)"),
        ("game_id", -1, f"{GAMES_WHOSE} game_id is not an integer in 0-2147483647: (5, -1)"),
        ("game_id", 2**31, f"{GAMES_WHOSE} game_id is not an integer in 0-2147483647: (5, 2147483648)"),
        ("game_id", "12", f"{GAMES_WHOSE} game_id is not an integer in 0-2147483647: (5, '12')"),
        ("game_id", 11, "games (user_id, game_id) with several results: (5, 11)"),
        ("won", 2, f"{GAMES_WHOSE} won is neither 0 nor 1: (5, 12)"),
        ("won", None, f"{GAMES_WHOSE} won is neither 0 nor 1: (5, 12)"),
        ("won", "true", f"{GAMES_WHOSE} won is neither 0 nor 1: (5, 12)"),
        ("finished", "yesterday", f"{GAMES_WHOSE} finished is not a time in the past in one of {FORMS}: (5, 12)"),
        ("finished", "2999-01-01", f"{GAMES_WHOSE} finished is not a time in the past in one of {FORMS}: (5, 12)"),
    ],
)
def test_invalid_games_are_named(tmp_path: Path, column: str, value: object, fault: str) -> None:
    assert change_game(tmp_path, column, value) == [fault]


def change_game(tmp_path: Path, column: str, value: object) -> list[str]:
    """The faults of a database in which one column of game 12 of player 5 has another value."""
    source = make_file(tmp_path / "old.db", schema=CREATE_LOOSE_TABLES)
    with closing(sqlite3.connect(source)) as database, database:
        database.execute(f"UPDATE games SET {column} = ? WHERE user_id = 5 AND game_id = 12", (value,))  # noqa: S608 - ours
    return list_faults(source)


@pytest.mark.parametrize("guesses", [0, 7, -1, 2.5, "4", None])
@pytest.mark.parametrize("won", [0, 1])
def test_guesses_outside_1_to_6_are_named_with_the_cure_for_losses(tmp_path: Path, guesses: object, won: int) -> None:
    games = [*GAMES, (8, 40, "2022-01-01", guesses, won)]
    [fault] = list_faults(make_file(tmp_path / "old.db", games=games, schema=CREATE_LOOSE_TABLES))
    assert fault == f"{GAMES_WHOSE} {WRONG_GUESSES}: (8, 40)"


def test_ten_keys_of_every_kind_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    games = [(1, number, "2022-01-01", 1, 2) for number in range(100, 110)]
    games += [(number, 1, "2022-01-01", 1, 1) for number in range(90, 1101)] + [(1, 5, "now", 9, 1)]
    guesses, won, time, no_user = list_faults(make_file(tmp_path / "old.db", games=games, schema=CREATE_LOOSE_TABLES))
    assert guesses.endswith(": (1, 5)")
    assert time.endswith(": (1, 5)")
    assert won.endswith(f": {', '.join(f'(1, {number})' for number in range(100, 110))}")
    keys = ", ".join(f"({number})" for number in range(90, 100))
    assert no_user == f"user_ids of games that are not in users: {keys} and 1,001 more"


def test_unknown_user_with_many_games_is_named_once(tmp_path: Path) -> None:
    games = [(99, number, "2022-01-01", 1, 1) for number in range(12)]
    source = make_file(tmp_path / "old.db", games=games, schema=CREATE_LOOSE_TABLES)
    assert list_faults(source) == ["user_ids of games that are not in users: (99)"]


def test_name_that_is_not_utf_8_is_named_by_its_user(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db")
    with closing(sqlite3.connect(source)) as database, database:
        database.execute("INSERT INTO users VALUES (50, CAST(x'ff41' AS TEXT)), (51, CAST(x'41e1' AS TEXT))")
    assert list_faults(source) == ["users (user_id) whose username is not in UTF-8: (50), (51)"]


def test_ended_account_keeps_its_placeholder(tmp_path: Path) -> None:
    """In a source with UUIDs, which are kept."""
    users = [(str(player), f"deleted player {player}") for player in PLAYERS[:3]]
    source = make_file(tmp_path / "old.db", users=users, games=[], schema=CREATE_LOOSE_TABLES)
    assert list_faults(source) == []
    users[2] = (str(PLAYERS[2]), f"deleted player {PLAYERS[3]}")
    source = make_file(tmp_path / "other.db", users=users, games=[], schema=CREATE_LOOSE_TABLES)
    fault = "users (user_id) whose username is the placeholder of another account that has ended"
    assert list_faults(source) == [f"{fault}: ('{PLAYERS[2]}')"]


def test_key_that_is_not_utf_8_is_shown_too(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db", schema=CREATE_LOOSE_TABLES)
    with closing(sqlite3.connect(source)) as database, database:
        database.execute("INSERT INTO users VALUES (CAST(x'ff41' AS TEXT), 'odd')")
    assert list_faults(source) == [r"users whose user_id is not of type integer: ('\xffA')"]


def make_users(path: Path, users: Sequence[tuple[object, object]]) -> Path:
    return make_file(path, users=users, games=[], schema=CREATE_LOOSE_TABLES)


def make_games(path: Path, games: Sequence[tuple[object, ...]]) -> Path:
    return make_file(path, users=[], games=games, schema=CREATE_LOOSE_TABLES)


def test_fault_in_one_of_several_files_names_the_file(tmp_path: Path) -> None:
    ada, bob, eve = PLAYERS[:3]
    users = make_users(tmp_path / "users.db", [(str(ada), "ada"), (bob.bytes, "bob"), (7, "seven")])
    first = make_games(tmp_path / "games1.db", [(ada.hex, 1, "2022-01-01", 0, 0), (eve.bytes, 1, "2022-01-01", 1, 1)])
    second = make_games(tmp_path / "games2.db", [(str(bob), 1, "now", 1, 1)])
    assert list_faults(users, first, second) == [
        f"users whose user_id is not of type UUID: (7) in {users}",
        f"{GAMES_WHOSE} {WRONG_GUESSES}: ('{ada.hex}', 1) in {first}",
        f"{GAMES_WHOSE} finished is not a time in the past in one of {FORMS}: ('{bob}', 1) in {second}",
        f"user_ids of games that are not in users: (X'{eve.hex.upper()}') in {first}",
    ]


def test_one_user_in_two_files_has_one_name(tmp_path: Path) -> None:
    ada, bob = PLAYERS[:2]
    first = make_users(tmp_path / "users1.db", [(str(ada), "ada"), (str(bob), "bob")])
    second = make_users(tmp_path / "users2.db", [(ada.bytes, "ada"), (bob.hex.upper(), "Bob")])
    assert list_faults(first, second) == [
        f"user_ids with several usernames: ('{bob.hex.upper()}') in {first} and {second}"
    ]


def test_one_game_in_two_files_has_one_result(tmp_path: Path) -> None:
    ada = PLAYERS[0]
    users = make_users(tmp_path / "users.db", [(str(ada), "ada")])
    first = make_games(tmp_path / "games1.db", [(ada.bytes, 1, "2022-01-01", 3, 1), (ada.bytes, 2, "2022-01-02", 3, 1)])
    second = make_games(
        tmp_path / "games2.db", [(str(ada), 1, "2022-01-01 00:00Z", 3, 1), (str(ada), 2, "2022-01-02", 4, 1)]
    )
    assert list_faults(users, first, second) == [
        f"games (user_id, game_id) with several results: ('{ada}', 2) in {first} and {second}"
    ]
