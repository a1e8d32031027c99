import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.old_databases import (
    CREATE_TABLES,
    GAMES,
    GATHERED,
    USERS,
    dump_file,
    make_dump,
    make_file,
    read_gathered,
    refuse,
)


def test_file_and_its_dump_have_the_same_rows(tmp_path: Path, dump_text: str) -> None:
    expected = (USERS, GATHERED)
    assert read_gathered(make_file(tmp_path / "old.db")) == expected
    assert read_gathered(make_dump(tmp_path / "old.sql", dump_text)) == expected


def test_columns_may_come_in_any_order_and_others_with_them(tmp_path: Path) -> None:
    schema = """
        CREATE TABLE users (email TEXT, Username TEXT, User_ID INTEGER PRIMARY KEY);
        CREATE TABLE Games (won, guesses, finished, extra, game_id, user_id);
    """
    source = make_file(tmp_path / "old.db", schema=schema)
    assert read_gathered(source) == (USERS, GATHERED)
    assert read_gathered(make_dump(tmp_path / "old.sql", dump_file(source))) == (USERS, GATHERED)


@pytest.mark.parametrize("page_size", [512, 65536])
def test_file_in_wal_mode_is_left_as_it_was(tmp_path: Path, page_size: int) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    schema = f"PRAGMA page_size = {page_size}; PRAGMA journal_mode = WAL; {CREATE_TABLES}"
    source = make_file(folder / "old.db", schema=schema)
    before = source.read_bytes()

    assert read_gathered(source) == (USERS, GATHERED)
    assert [path.name for path in folder.iterdir()] == [source.name]
    assert source.read_bytes() == before


def test_what_an_open_file_has_in_its_wal_is_read(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db", schema=f"PRAGMA journal_mode = WAL; {CREATE_TABLES}")
    with closing(sqlite3.connect(source, isolation_level=None)) as old_program:
        old_program.execute("INSERT INTO users VALUES (77, 'late')")
        assert (77, "late") in read_gathered(source)[0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "has neither a table users nor a table games"),
        (b"CREATE TABLE users (user_id, username);", "there is no table games"),
        (b"CREATE TABLE games (user_id, game_id, finished, guesses, won);", "there is no table users"),
        (b"CREATE TABLE users (user_id, name); CREATE TABLE games (user_id);", "table users has no column username"),
        (b"-- caf\xe9\n", r"neither a SQLite database nor SQL text in UTF-8. Line 1 is not: -- caf\xe9"),
        ("CREATE TABLE users (user_id);".encode("utf-16"), "neither a SQLite database nor SQL text in UTF-8"),
        (b"CREATE TABLE users (user_id);\0", "is not SQL text that SQLite can run"),
        (b"Dear diary", 'near "Dear": syntax error'),
        (b"SQLite format 3\0 and then nothing of the kind", "is damaged: file is not a database"),
    ],
)
def test_what_is_no_old_database_is_refused_with_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    source = tmp_path / "old"
    source.write_bytes(content)
    refusal = refuse(source)
    assert str(source) in refusal
    assert sentence in refusal


def test_missing_column_of_a_file_is_named(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db")
    drop_columns(source, "guesses", "won")
    assert refuse(source) == f"{source}: the table games has no column guesses, won."


def test_damaged_file_is_refused_as_that(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db", schema=f"PRAGMA page_size = 512; {CREATE_TABLES}")
    content = source.read_bytes()
    source.write_bytes(content[:512] + b"\xff" * 512 + content[1024:])
    assert refuse(source) == f"{source} is damaged: database disk image is malformed."


def test_file_in_utf_16_is_refused_with_the_way_out(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db", schema=f"PRAGMA encoding = 'UTF-16'; {CREATE_TABLES}")
    assert "is in UTF-16le: give its SQL text instead" in refuse(source)


def drop_columns(source: Path, *columns: str) -> None:
    with closing(sqlite3.connect(source)) as database, database:
        for column in columns:
            database.execute(f"ALTER TABLE games DROP COLUMN {column}")


def rename_tables(source: Path) -> None:
    """And their columns; views have the names that bin/shard looks for."""
    with closing(sqlite3.connect(source)) as database:
        database.executescript("""
            ALTER TABLE users RENAME TO accounts;
            ALTER TABLE accounts RENAME COLUMN username TO name;
            ALTER TABLE games RENAME TO results;
            ALTER TABLE results RENAME COLUMN won TO success;
            CREATE VIEW users AS SELECT user_id, name AS username FROM accounts;
            CREATE VIEW games AS SELECT *, success AS won FROM results;
        """)


def test_tables_of_other_names_come_in_through_views(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db")
    rename_tables(source)
    assert read_gathered(source) == (USERS, GATHERED)
    assert read_gathered(make_dump(tmp_path / "old.sql", dump_file(source))) == (USERS, GATHERED)


def test_view_of_a_missing_table_is_not_called_damage(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db")
    rename_tables(source)
    with closing(sqlite3.connect(source)) as database:
        database.execute("DROP TABLE results")
    assert refuse(source) == f"{source} cannot be read: no such table: source.results."


def test_users_and_games_may_be_in_files_of_their_own(tmp_path: Path) -> None:
    users = make_file(tmp_path / "users.db", games=[])
    parts = [make_file(tmp_path / f"games{n}.db", users=[], games=GAMES[n::12]) for n in range(12)]
    for path, table in ((users, "games"), *((part, "users") for part in parts)):
        with closing(sqlite3.connect(path)) as database:
            database.execute(f"DROP TABLE {table}")
    parts[3] = make_dump(tmp_path / "games3.sql", dump_file(parts[3]))
    parts[7] = make_dump(tmp_path / "games7.sql", dump_file(parts[7]))

    for sources in ([users, *parts], [*parts, users]):
        found_users, found_games = read_gathered(*sources)
        assert found_users == USERS
        assert sorted(found_games) == sorted(GATHERED)
    assert refuse(*parts).endswith("games11.db: there is no table users.")
    assert refuse(users).endswith("users.db: there is no table games.")


def test_file_that_is_none_of_these_is_named_among_several(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE words (word)")
    source = make_file(tmp_path / "old.db")
    assert refuse(source, other) == f"{other} has neither a table users nor a table games."


def test_names_that_are_not_utf_8_are_read(tmp_path: Path) -> None:
    source = make_file(tmp_path / "old.db")
    with closing(sqlite3.connect(source)) as database, database:
        database.execute("INSERT INTO users VALUES (50, CAST(x'ff41' AS TEXT))")
    users, _ = read_gathered(source)
    assert (50, "\udcffA") in users
