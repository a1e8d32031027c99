import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.tools.old_game import (
    CREATE_LOOSE_TABLES,
    CREATE_MORE,
    CREATE_TABLES,
    GAMES,
    USERS,
    dump_file,
    make_dump,
    make_file,
)
from tools.legacy import GAME_FAULTS, USER_FAULTS, find_faults, merge_rows, open_legacy

LATEST = "2022-06-01 12:01:00"


def read_rows(source: Path) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    with open_legacy(source) as legacy:
        return (
            legacy.execute("SELECT user_id, username FROM main.users").fetchall(),
            legacy.execute("SELECT user_id, game_id, finished, guesses, won FROM main.games").fetchall(),
        )


def list_faults(source: Path) -> list[str]:
    with open_legacy(source) as legacy:
        return find_faults(legacy, USER_FAULTS | GAME_FAULTS, latest=LATEST)


def refuse(source: Path) -> str:
    """The sentence with which it is refused."""
    with pytest.raises(SystemExit) as refusal, open_legacy(source):
        pass
    assert isinstance(refusal.value.code, str)
    return refusal.value.code


@pytest.fixture
def dump(tmp_path: Path) -> str:
    return dump_file(make_file(tmp_path / "dumped.db", schema=CREATE_TABLES + CREATE_MORE))


def test_a_file_and_its_dump_have_the_same_rows(tmp_path: Path, dump: str) -> None:
    expected = (USERS, GAMES)
    assert read_rows(make_file(tmp_path / "old.db")) == expected
    assert read_rows(make_dump(tmp_path / "old.sql", dump)) == expected


@pytest.mark.parametrize("change", [("", "\ufeff"), ("INSERT INTO games", 'INSERT INTO "games"')])
def test_a_byte_order_mark_and_quoted_names_are_taken(tmp_path: Path, dump: str, change: tuple[str, str]) -> None:
    changed = change[1] + dump if change[0] == "" else dump.replace(*change)
    assert read_rows(make_dump(tmp_path / "old.sql", changed)) == (USERS, GAMES)


def test_lines_may_end_as_they_do_on_windows(tmp_path: Path, dump: str) -> None:
    users, games = read_rows(make_dump(tmp_path / "old.sql", dump.replace("\n", "\r\n")))
    assert [user for user in users if user[0] != 7] == [user for user in USERS if user[0] != 7]
    assert games == GAMES


def test_rows_are_merged_where_they_are_statements(dump: str) -> None:
    assert merge_rows(dump).count("INSERT INTO games") == 1
    assert merge_rows(dump.replace("\n", "\r\n")).count("INSERT INTO games") == 1


@pytest.mark.parametrize(
    "before",
    [
        "INSERT INTO users VALUES (1, 'a name\n{row}of three lines');\n",
        "/* left out:\n{row}*/\n",
        "CREATE TRIGGER later AFTER DELETE ON users BEGIN\n{row}END;\n",
    ],
)
def test_rows_inside_a_text_a_comment_or_a_trigger_are_left_alone(before: str) -> None:
    sql = before.replace("{row}", "INSERT INTO games VALUES(9,9,'2022-01-01',1,1);\n")
    assert merge_rows(sql) == sql


def test_statements_after_the_rows_still_see_them(tmp_path: Path, dump: str) -> None:
    mending = "UPDATE games SET guesses = 1 WHERE won = 0;\n"
    _, games = read_rows(make_dump(tmp_path / "old.sql", dump + mending))
    assert games == [(*game[:3], game[3] if game[4] else 1, game[4]) for game in GAMES]


def test_a_row_with_a_comment_behind_it_swallows_no_other(tmp_path: Path, dump: str) -> None:
    first, second = "INSERT INTO games VALUES(8,1,'2022-01-01',1,1);", "INSERT INTO games VALUES(8,2,'2022-01-02',1,1);"
    _, games = read_rows(make_dump(tmp_path / "old.sql", f"{dump}{first}--);\n{second}\n"))
    assert [game[:2] for game in games if game[0] == 8] == [(8, 1), (8, 2)]


def test_columns_may_come_in_any_order_and_others_with_them(tmp_path: Path) -> None:
    schema = """
        CREATE TABLE users (email TEXT, Username TEXT, User_ID INTEGER PRIMARY KEY);
        CREATE TABLE Games (won, guesses, finished, extra, game_id, user_id);
    """
    source = make_file(tmp_path / "old.db", schema=schema)
    assert read_rows(source) == (USERS, GAMES)
    assert read_rows(make_dump(tmp_path / "old.sql", dump_file(source))) == (USERS, GAMES)


@pytest.mark.parametrize("page_size", [512, 65536])
def test_a_file_in_wal_mode_is_left_as_it_was(tmp_path: Path, page_size: int) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    schema = f"PRAGMA page_size = {page_size}; PRAGMA journal_mode = WAL; {CREATE_TABLES}"
    source = make_file(folder / "old.db", schema=schema)
    before = source.read_bytes()

    assert read_rows(source) == (USERS, GAMES)
    assert list(folder.iterdir()) == [source]
    assert source.read_bytes() == before


def test_what_an_open_file_has_in_its_wal_is_read(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db", schema=f"PRAGMA journal_mode = WAL; {CREATE_TABLES}")
    with closing(sqlite3.connect(source, isolation_level=None)) as old_program:
        old_program.execute("INSERT INTO users VALUES (77, 'late')")
        assert (77, "late") in read_rows(source)[0]


def test_a_sound_database_has_no_faults(tmp_path: Path) -> None:
    assert list_faults(make_file(tmp_path / "old.db")) == []


def test_a_username_of_digits_is_a_text(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db", users=[*USERS, (70, 1234)], schema=CREATE_LOOSE_TABLES)
    assert list_faults(source) == []


@pytest.mark.parametrize(
    ("users", "fault"),
    [
        ([("7", "text")], "1 users have a user_id that is no integer: ('7')"),
        ([(None, "none")], "1 users have a user_id that is no integer: (NULL)"),
        ([(5, "again"), (6, "too")], "2 user_ids are there more than once: (5), (6)"),
        ([(70, None), (71, b"ada"), (72, 1.5)], "3 users (user_id) have a username that is no text: (70), (71), (72)"),
        ([(70, "Ada")], "1 usernames (and a user_id) are those of several users: ('Ada', 5)"),
        ([(70, 12), (71, "12")], "1 usernames (and a user_id) are those of several users: ('12', 70)"),
    ],
)
def test_users_that_cannot_be_right_are_named(tmp_path: Path, users: list[tuple[object, object]], fault: str) -> None:
    source = make_file(tmp_path / "old.db", users=[*USERS, *users], schema=CREATE_LOOSE_TABLES)
    assert list_faults(source) == [fault]


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("user_id", 99, "are of no user: (99, 12)"),
        ("user_id", "5", "have a user_id that is no integer: ('5', 12)"),
        ("user_id", None, "have a user_id that is no integer: (NULL, 12)"),
        ("game_id", -1, "have a game_id that is no integer in 0-2147483647: (5, -1)"),
        ("game_id", 2**31, "have a game_id that is no integer in 0-2147483647: (5, 2147483648)"),
        ("game_id", "12", "have a game_id that is no integer in 0-2147483647: (5, '12')"),
        ("game_id", 11, "are there more than once: (5, 11)"),
        ("won", 2, "have a won that is neither 0 nor 1: (5, 12)"),
        ("won", None, "have a won that is neither 0 nor 1: (5, 12)"),
        ("won", "true", "have a won that is neither 0 nor 1: (5, 12)"),
    ],
)
def test_games_that_cannot_be_right_are_named(tmp_path: Path, column: str, value: object, fault: str) -> None:
    assert change_game(tmp_path, column, value) == [f"1 games (user_id, game_id) {fault}"]


def change_game(tmp_path: Path, column: str, value: object) -> list[str]:
    """The faults of a database in which one column of game 12 of player 5 has another value."""
    source = make_file(tmp_path / "old.db", schema=CREATE_LOOSE_TABLES)
    with closing(sqlite3.connect(source)) as database, database:
        database.execute(f"UPDATE games SET {column} = ? WHERE user_id = 5 AND game_id = 12", (value,))  # noqa: S608 - ours
    return list_faults(source)


@pytest.mark.parametrize("guesses", [0, 7, -1, 2.5, "4", None])
@pytest.mark.parametrize("won", [0, 1])
def test_guesses_outside_one_to_six_are_named_with_what_mends_those_of_lost_games(
    tmp_path: Path, guesses: object, won: int
) -> None:
    games = [*GAMES, (8, 40, "2022-01-01", guesses, won)]
    [fault] = list_faults(make_file(tmp_path / "old.db", games=games, schema=CREATE_LOOSE_TABLES))
    assert fault.startswith("1 games (user_id, game_id) have guesses that are no integer in 1-6")
    assert "UPDATE games SET guesses = 6 WHERE won = 0" in fault
    assert fault.endswith("(8, 40)")


@pytest.mark.parametrize(
    ("finished", "stored"),
    [
        ("2022-01-02", "2022-01-02 00:00:00"),
        ("2020-02-29", "2020-02-29 00:00:00"),
        ("2022-01-02 03:04:05", "2022-01-02 03:04:05"),
        ("2022-01-02T03:04:05", "2022-01-02 03:04:05"),
        ("2022-01-02 03:04:05.678901", "2022-01-02 03:04:05"),
        ("2022-01-02 23:59:59.9999999", "2022-01-02 23:59:59"),
        ("2022-01-02T03:04:05Z", "2022-01-02 03:04:05"),
        ("2022-01-02T03:04:05.6Z", "2022-01-02 03:04:05"),
        ("2022-01-02 03:04:05+00:00", "2022-01-02 03:04:05"),
        ("2022-01-02 03:04:05.678901+05:30", "2022-01-01 21:34:05"),
        ("2021-12-31 23:00:00-01:00", "2022-01-01 00:00:00"),
        ("0001-01-01", "0001-01-01 00:00:00"),
        (LATEST, LATEST),
    ],
)
def test_a_time_is_stored_in_utc_to_the_second(tmp_path: Path, finished: str, stored: str) -> None:
    source = make_file(tmp_path / "old.db", games=[(1, 1, finished, 1, 1)])
    assert list_faults(source) == []
    with open_legacy(source) as legacy:
        assert legacy.execute("SELECT finished_at FROM temp.timed_games").fetchall() == [(stored,)]


NO_TIMES = """
2022-02-30
2021-02-29 10:00:00
2022-04-31T10:00:00Z
2022-13-01
2022-00-10
2022-01-01 24:00:00
2022-01-01 10:60:00
2022-01-01 10:00:60
2022-01-01 10:00:00+99:00
2022-01-01 10:00:00+01
2022-01-01 10:00:00.
2022-01-01 10:00:00 UTC
2022-01-01T10:00:00ZZ
2022-1-1
01.02.2022
20220101
10:00:00
now
-2022-01-01
0000-01-01
0001-01-01 00:00:00+01:00
2459000.5
2022-06-01 12:01:01
2022-06-01T12:01:00-00:01
2022-06-02
9999-12-31 23:59:59
"""


@pytest.mark.parametrize(
    "finished",
    [*NO_TIMES.split("\n")[:-1], " 2022-01-01", "2022-01-01 ", None, 0, 1641031200, 2459580.5, b"2022-01-01"],
)
def test_what_is_no_time_in_the_past_is_named(tmp_path: Path, finished: object) -> None:
    [fault] = change_game(tmp_path, "finished", finished)
    assert fault.startswith("1 games (user_id, game_id) have a finished that is no time in the past")
    assert fault.endswith("(5, 12)")


def test_the_first_ten_keys_of_every_kind_are_named(tmp_path: Path) -> None:
    games = [(99, number, "2022-01-01", 1, 1) for number in range(12)] + [(1, 5, "now", 9, 1)]
    time, guesses, no_user = sorted(
        list_faults(make_file(tmp_path / "old.db", games=games, schema=CREATE_LOOSE_TABLES)),
        key=lambda fault: ("finished" not in fault, "guesses" not in fault),
    )
    assert time.endswith("(1, 5)")
    assert guesses.endswith("(1, 5)")
    keys = ", ".join(f"(99, {number})" for number in range(10))
    assert no_user == f"12 games (user_id, game_id) are of no user: {keys}, ..."


def test_a_dump_cut_off_anywhere_is_refused(tmp_path: Path, dump: str) -> None:
    end = dump.rindex("COMMIT") + len("COMMIT")
    for length in (*range(0, end, 7), *(end - back for back in range(1, 8))):
        refuse(make_dump(tmp_path / "old.sql", dump[:length]))


def test_a_dump_that_failed_is_refused(tmp_path: Path, dump: str) -> None:
    failed = dump.replace("COMMIT;", "ROLLBACK; -- due to errors")
    assert "has no table users (a dump that ends in ROLLBACK" in refuse(make_dump(tmp_path / "old.sql", failed))


@pytest.mark.parametrize("statement", ["ATTACH '{}' AS other", "VACUUM INTO '{}'"])
def test_a_dump_that_would_write_a_file_is_refused(tmp_path: Path, dump: str, statement: str) -> None:
    other = tmp_path / "other.db"
    source = make_dump(tmp_path / "old.sql", f"{dump}{statement.format(other)};\n")
    assert "too many attached databases" in refuse(source)
    assert not other.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "has no table users"),
        (b"CREATE TABLE users (user_id, username);", "has no table games"),
        (b"CREATE TABLE users (user_id, name); CREATE TABLE games (user_id);", "table users has no column username"),
        (b"-- caf\xe9\n", "neither a SQLite database nor SQL text in UTF-8"),
        ("CREATE TABLE users (user_id);".encode("utf-16"), "neither a SQLite database nor SQL text in UTF-8"),
        (b"CREATE TABLE users (user_id);\0", "is no SQL text that SQLite can run"),
        (b"Dear diary", 'near "Dear": syntax error'),
        (b"SQLite format 3\0 and then nothing of the kind", "cannot be read: file is not a database"),
    ],
)
def test_what_is_no_old_database_is_refused_with_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    source = tmp_path / "old"
    source.write_bytes(content)
    refusal = refuse(source)
    assert str(source) in refusal
    assert sentence in refusal


def test_a_missing_column_of_a_file_is_named(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db")
    with closing(sqlite3.connect(source)) as database, database:
        database.execute("ALTER TABLE games DROP COLUMN guesses")
        database.execute("ALTER TABLE games DROP COLUMN won")
    assert refuse(source) == f"{source}: the table games has no column guesses, won."


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db", schema=f"PRAGMA page_size = 512; {CREATE_TABLES}")
    content = source.read_bytes()
    source.write_bytes(content[:512] + b"\xff" * 512 + content[1024:])
    with pytest.raises((SystemExit, sqlite3.DatabaseError), match="malformed"):
        list_faults(source)


def test_a_file_in_utf_16_is_refused_with_the_way_out(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db", schema=f"PRAGMA encoding = 'UTF-16'; {CREATE_TABLES}")
    assert "is in UTF-16le: give its SQL text instead" in refuse(source)


def test_control_characters_as_newer_shells_write_them_are_read(tmp_path: Path, dump: str) -> None:
    escaped = r"unistr('a\000ab\u0009c\+01f600d\U0001f600\\e')"
    changed = dump.replace("COMMIT;", f"INSERT INTO users VALUES(99, {escaped});\nCOMMIT;")
    users, _ = read_rows(make_dump(tmp_path / "old.sql", changed))
    assert (99, "a\nb\tc\U0001f600d\U0001f600\\e") in users
