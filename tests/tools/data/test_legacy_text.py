import stat
from pathlib import Path

import pytest

from tests.support.old_databases import (
    GATHERED,
    USERS,
    make_dump,
    read_gathered,
    refuse,
)


@pytest.mark.parametrize("change", [("", "\ufeff"), ("INSERT INTO games", 'INSERT INTO "games"')])
def test_byte_order_mark_and_quoted_names_are_taken(tmp_path: Path, dump_text: str, change: tuple[str, str]) -> None:
    changed = change[1] + dump_text if change[0] == "" else dump_text.replace(*change)
    assert read_gathered(make_dump(tmp_path / "old.sql", changed)) == (USERS, GATHERED)


def test_lines_may_end_as_they_do_on_windows(tmp_path: Path, dump_text: str) -> None:
    users, games = read_gathered(make_dump(tmp_path / "old.sql", dump_text.replace("\n", "\r\n")))
    assert [user for user in users if user[0] != 7] == [user for user in USERS if user[0] != 7]
    assert games == GATHERED


@pytest.mark.parametrize(
    "before",
    [
        "INSERT INTO settings VALUES('a setting\n{row}of three lines');\n",
        "/* left out:\n{row}*/\n",
        "CREATE TRIGGER later AFTER DELETE ON users BEGIN\n{row}END;\n",
    ],
)
def test_rows_inside_a_text_a_comment_or_a_trigger_are_no_games(tmp_path: Path, dump_text: str, before: str) -> None:
    lines = before.replace("{row}", "INSERT INTO games VALUES(9,9,1,1,1);\n")
    source = make_dump(tmp_path / "old.sql", dump_text.replace("COMMIT;", f"{lines}COMMIT;"))
    assert read_gathered(source) == (USERS, GATHERED)


def test_row_that_breaks_a_constraint_is_named(tmp_path: Path, dump_text: str) -> None:
    row = "INSERT INTO games VALUES(5,12,'2022-03-01',2,1);"
    source = make_dump(tmp_path / "old.sql", dump_text.replace("COMMIT;", f"{row}\nCOMMIT;"))
    assert refuse(source).endswith(f": UNIQUE constraint failed: games.user_id, games.game_id: {row}.")


def test_statements_after_the_rows_still_see_them(tmp_path: Path, dump_text: str) -> None:
    mending = "UPDATE games SET guesses = 1 WHERE won = 0;\n"
    _, games = read_gathered(make_dump(tmp_path / "old.sql", dump_text + mending))
    assert games == [(*game[:3], game[3] if game[4] else 1, game[4]) for game in GATHERED]


def test_row_with_a_comment_behind_it_swallows_no_other(tmp_path: Path, dump_text: str) -> None:
    first, second = "INSERT INTO games VALUES(8,1,'2022-01-01',1,1);", "INSERT INTO games VALUES(8,2,'2022-01-02',1,1);"
    _, games = read_gathered(make_dump(tmp_path / "old.sql", f"{dump_text}{first}--);\n{second}\n"))
    assert [game[:2] for game in games if game[0] == 8] == [(8, 1), (8, 2)]


def test_dump_cut_off_anywhere_is_refused(tmp_path: Path, dump_text: str) -> None:
    end = dump_text.rindex("COMMIT") + len("COMMIT")
    for length in (*range(0, end, 7), *(end - back for back in range(1, 8))):
        refuse(make_dump(tmp_path / "old.sql", dump_text[:length]))


def test_dump_that_failed_is_refused(tmp_path: Path, dump_text: str) -> None:
    failed = dump_text.replace("COMMIT;", "ROLLBACK; -- due to errors")
    assert "ends with ROLLBACK, as a dump does after an error: it has no tables" in refuse(
        make_dump(tmp_path / "old.sql", failed)
    )


@pytest.mark.parametrize("statement", ["ATTACH '{}' AS other", "VACUUM INTO '{}'"])
def test_dump_that_would_write_a_file_is_refused(tmp_path: Path, dump_text: str, statement: str) -> None:
    other = tmp_path / "other.db"
    source = make_dump(tmp_path / "old.sql", f"{dump_text}{statement.format(other)};\n")
    assert "too many attached databases" in refuse(source)
    assert not other.exists()


def test_control_characters_as_newer_shells_write_them_are_read(tmp_path: Path, dump_text: str) -> None:
    escaped = r"unistr('a\000ab\u0009c\+01f600d\U0001f600\\e')"
    changed = dump_text.replace("COMMIT;", f"INSERT INTO users VALUES(99, {escaped});\nCOMMIT;")
    users, _ = read_gathered(make_dump(tmp_path / "old.sql", changed))
    assert (99, "a\nb\tc\U0001f600d\U0001f600\\e") in users


def test_cut_is_told_from_a_wrong_statement(tmp_path: Path, dump_text: str) -> None:
    source = tmp_path / "old.sql"
    middle = dump_text.index("o''neill")
    assert refuse(make_dump(source, dump_text[:middle])).endswith(" It is cut off: its last statement has no end.")
    assert refuse(make_dump(source, dump_text[: dump_text.rindex("COMMIT")])) == (
        f"{source} is cut off: its transaction has no end."
    )
    without_table = dump_text.replace("CREATE TABLE games", "CREATE TABLE played")
    assert refuse(make_dump(source, without_table)) == (
        f"{source} is not SQL text that SQLite can run to the end: no such table: games."
    )


def test_several_dumps_in_one_file_are_refused_as_that(tmp_path: Path, dump_text: str) -> None:
    refusal = refuse(make_dump(tmp_path / "all.sql", dump_text + dump_text))
    assert refusal.endswith(" It consists of several dumps: pass each one as a separate file.")


def test_row_with_a_name_that_is_not_utf_8_is_named(tmp_path: Path, dump_text: str) -> None:
    source = tmp_path / "old.sql"
    source.write_bytes(dump_text.encode().replace(b"'Ada'", b"'Ad\xe1'"))
    number = dump_text[: dump_text.index("'Ada'")].count("\n") + 1
    assert refuse(source).endswith(f" Line {number} is not: INSERT INTO \"users\" VALUES(5,'Ad\\xe1');")


def test_what_a_text_was_run_into_is_its_owners_alone(tmp_path: Path, dump_text: str) -> None:
    read_gathered(make_dump(tmp_path / "old.sql", dump_text))
    assert stat.S_IMODE((tmp_path / "scratch.db").stat().st_mode) == 0o600
