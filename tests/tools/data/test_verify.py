import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from servicekit.db.sharding import shard_number
from stats.leaderboards import Board
from stats.queries import INCREMENT_GAME_COUNT, INCREMENT_SCORE_COUNT, UPSERT_STANDING, standing_to_row
from stats.results import Result
from stats.standings import count_results
from tests.support.scripts import dump, list_columns, list_files, read_rows, write_rows
from tools.config.paths import DataPaths
from tools.data import backup, init, verify
from tools.data.atomic_files import JOURNAL
from users.accounts.names import make_placeholder

ROWS = {
    "passwords": "INSERT INTO passwords VALUES ({}, 'a hash')",
    "known_addresses": "INSERT INTO known_addresses VALUES ({}, '192.0.2.1', '2026-01-01 12:00:00')",
    "sessions": "INSERT INTO sessions VALUES (1, randomblob(32), {}, '2026-01-01 12:00:00', '2026-01-31 12:00:00')",
}
"""A row of a user in the users database, by table."""
FIRST = "(SELECT user_id FROM standings ORDER BY won DESC, user_id LIMIT 1)"


def tamper(path: Path, *statements: str) -> None:
    """In the statements, FIRST is the player with the most wins."""
    write_rows(path, *(sql.replace("FIRST", FIRST) for sql in statements))


def find_differences(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines before the summary."""
    assert verify.main([]) == 1
    *differences, summary = capsys.readouterr().out.splitlines()
    assert summary.endswith((" 1 difference.", " differences."))
    return differences


def kinds(differences: list[str]) -> set[str]:
    return {difference.split(":")[0] for difference in differences}


def test_consistent_databases_are_reported_in_one_line(
    populated: DataPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dump(populated)

    assert verify.main([]) == 0

    players = sum(read_rows(shard, "SELECT COUNT(*) FROM standings")[0][0] for shard in populated.shards)
    assert capsys.readouterr().out == f"300 players, {players} of them with 3,000 games: all databases agree.\n"
    assert dump(populated) == before
    assert list_files(populated.folder) == {path.name for path in (*populated.all, *populated.keys)}


def test_empty_databases_agree(unmade: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    init.main([])

    assert verify.main([]) == 0

    assert capsys.readouterr().out.endswith("0 players, 0 of them with 0 games: all databases agree.\n")


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("UPDATE standings SET max_streak = max_streak + 1 WHERE user_id = FIRST", ["max_streak"]),
        ("UPDATE standings SET last_run = 0 WHERE user_id = FIRST", ["last_run"]),
        ("UPDATE standings SET last_day = '2031-01-01' WHERE user_id = FIRST", ["last_day"]),
        ("UPDATE standings SET last_win_day = NULL WHERE user_id = FIRST", ["last_win_day"]),
        (
            "UPDATE standings SET won_in_3 = won_in_3 + 1, won_in_4 = won_in_4 - 1 WHERE user_id = FIRST",
            ["won_in_3", "won_in_4"],
        ),
        (
            "UPDATE standings SET lost = lost + 1 WHERE user_id = FIRST",
            ["lost"],
        ),
    ],
)
def test_standing_that_its_games_do_not_give_is_found(
    statement: str, names: list[str], populated: DataPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(populated.shards[1], statement)

    differences = [each for each in find_differences(capsys) if not each.startswith("score: ")]

    assert sorted(difference.split(" has ")[1].split()[0] for difference in differences) == names
    assert all("games1.db: the standing of " in difference for difference in differences)


def test_lost_game_is_found(populated: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    tamper(populated.shards[0], "DELETE FROM games WHERE user_id = FIRST AND won AND game_id % 2")

    differences = find_differences(capsys)

    assert kinds(differences) == {"standing", "game"}
    assert any(" has won " in difference for difference in differences)


def test_standing_without_games_is_found(populated: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    tamper(populated.shards[2], "DELETE FROM games WHERE user_id = FIRST")

    difference, *others = find_differences(capsys)

    assert difference.endswith(" has a standing and no games")
    assert kinds(others) == {"game"}


def test_games_without_a_standing_are_found(populated: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    tamper(populated.shards[2], "DELETE FROM standings WHERE user_id = FIRST")

    difference, *others = find_differences(capsys)

    assert difference.endswith(" games and no standing")
    assert kinds(others) == {"score"}


def test_player_in_the_wrong_shard_is_found(populated: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(populated.shards[0], isolation_level=None)) as shard:
        shard.execute("ATTACH ? AS wrong", [str(populated.shards[1])])
        for table in ("games", "standings"):
            columns = list_columns(populated.shards[0], table)
            shard.execute(
                f"INSERT INTO wrong.{table} ({columns}) SELECT {columns} FROM main.{table} WHERE user_id = {FIRST}"  # noqa: S608 - our names
            )

    differences = find_differences(capsys)

    assert kinds(differences) == {"shard", "score", "game"}
    difference = next(sentence for sentence in differences if sentence.startswith("shard: "))
    assert difference.startswith(f"shard: {populated.shards[1]}: ")
    assert difference.endswith(f" belongs in {populated.shards[0]}")


def test_player_who_is_no_user_is_found(populated: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    ((user_id,),) = read_rows(populated.shards[1], f"SELECT hex({FIRST})")
    write_rows(populated.users, f"DELETE FROM users WHERE hex(user_id) = '{user_id}'")  # noqa: S608 - an id of ours

    (difference,) = find_differences(capsys)

    assert difference.startswith("user: ")
    assert difference.replace("-", "").split()[1].upper() == user_id


@pytest.mark.parametrize("table", ["passwords", "known_addresses", "sessions"])
def test_row_that_belongs_to_no_user_is_found(
    table: str, populated: DataPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(populated.users, ROWS[table].format("zeroblob(16)"))

    assert find_differences(capsys) == [f"account: 1 row of {table} without a user"]


@pytest.mark.parametrize("table", ["passwords", "known_addresses", "sessions"])
def test_rest_of_an_account_that_has_ended_is_found(
    table: str, populated: DataPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    name = make_placeholder(UUID(int=0))
    write_rows(populated.users, f"INSERT INTO users VALUES (zeroblob(16), '{name}')")  # noqa: S608 - a name of ours
    assert verify.main([]) == 0
    capsys.readouterr()
    write_rows(populated.users, ROWS[table].format("zeroblob(16)"))

    sentence = f"account: the account of {UUID(int=0)} has ended and still has a row in {table}"
    assert find_differences(capsys) == [sentence]


def test_answer_or_candidate_missing_from_the_dictionary_is_noted(
    populated: DataPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    game_id, word = read_rows(populated.answers, "SELECT MAX(game_id), answer FROM answers")[0]  # its latest use
    write_rows(populated.words, f"DELETE FROM words WHERE word = '{word}'")  # noqa: S608 - a word of ours
    write_rows(populated.answers, "INSERT INTO candidates VALUES ('qqqqq')")

    assert verify.main([]) == 0

    *notes, summary = capsys.readouterr().out.splitlines()
    assert set(notes) == {
        "note: the candidate qqqqq is not in the dictionary, but may be guessed",
        f"note: the answer of game {game_id} is not in the dictionary, but may be guessed",
    }
    assert summary.endswith(": all databases agree.")
    assert backup.main([str(tmp_path / "backup")]) == 0


@pytest.mark.parametrize(
    ("view", "select"),
    [
        ("wins", "SELECT user_id, COUNT(*) AS wins FROM games GROUP BY user_id"),
        ("streaks", "SELECT user_id, 1 AS streak, '' AS beginning, '' AS ending FROM games WHERE won"),
    ],
)
def test_view_that_says_something_else_is_found(
    view: str, select: str, populated: DataPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(populated.shards[0], f"DROP VIEW {view}", f"CREATE VIEW {view} AS {select}")

    differences = find_differences(capsys)

    assert kinds(differences) == {"view"}
    assert view in differences[0]


def test_only_the_first_differences_of_a_kind_are_listed(
    populated: DataPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    ((players,),) = read_rows(populated.shards[0], "SELECT COUNT(*) FROM standings")
    write_rows(populated.shards[0], "DELETE FROM standings", "DELETE FROM score_counts")

    differences = find_differences(capsys)

    assert len(differences) == verify.SHOWN + 1
    assert differences[-1] == f"standing: and {players - verify.SHOWN} more"


def test_broken_file_is_reported_and_the_others_are_checked(
    populated: DataPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(populated.shards[1], "DELETE FROM standings WHERE user_id = FIRST")
    with populated.shards[0].open("r+b") as file:
        file.seek(3 * 4096)
        file.write(bytes(range(256)) * 16)
    populated.words.write_text("not a database, but as long as the header of one would be", encoding="utf-8")

    differences = find_differences(capsys)

    assert kinds(differences) == {"integrity", "standing", "score"}
    assert {path for path in populated.all if str(path) in "\n".join(differences)} == {
        populated.shards[0],
        populated.shards[1],
        populated.words,
    }


def test_rows_that_the_schema_forbids_are_found(populated: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    tamper(
        populated.shards[0], "PRAGMA ignore_check_constraints = ON", "UPDATE games SET won = 7 WHERE user_id = FIRST"
    )

    differences = find_differences(capsys)

    assert "integrity" in kinds(differences)
    assert "CHECK" in differences[0]


@pytest.mark.parametrize("name", ["users.db", "games2.db", "words.db", "answers.db"])
def test_missing_database_is_refused_with_a_sentence(name: str, populated: DataPaths) -> None:
    (populated.folder / name).unlink()

    with pytest.raises(SystemExit, match=rf"{name} is missing: restore a backup with bin/restore; for a new"):
        verify.main([])

    assert not (populated.folder / name).exists()


def test_databases_that_are_half_replaced_are_not_judged(populated: DataPaths) -> None:
    (populated.folder / JOURNAL).write_text("[]", encoding="utf-8")

    with pytest.raises(SystemExit, match="bin/init finishes its work"):
        verify.main([])


def record_new_player(users: Path, shards: tuple[Path, ...]) -> None:
    """As the services do: the user first, then the game and the standing in one transaction."""
    user_id = uuid4()
    result = Result(finished=datetime(2023, 1, 1, 12, tzinfo=UTC), guesses=3, won=True)
    with closing(sqlite3.connect(users)) as database, database:
        database.execute("INSERT INTO users VALUES (?, ?)", [user_id, str(user_id)])
    with closing(sqlite3.connect(shards[shard_number(user_id, len(shards))])) as shard, shard:
        shard.execute("INSERT INTO games VALUES (?, 561, ?, 3, 1)", [user_id, result.finished])
        shard.execute(INCREMENT_GAME_COUNT, {"game_id": 561, "won": True, "guesses": 3})
        shard.execute(UPSERT_STANDING, standing_to_row(user_id, count_results([result])))
        for board in Board:
            shard.execute(INCREMENT_SCORE_COUNT, {"board": board, "new": 1})


@contextmanager
def players_coming_in(data_paths: DataPaths) -> Iterator[None]:
    """From a thread of its own."""
    closed = threading.Event()

    def record_players() -> None:
        while not closed.is_set():
            record_new_player(data_paths.users, data_paths.shards)

    thread = threading.Thread(target=record_players)
    thread.start()
    try:
        yield
    finally:
        closed.set()
        thread.join()


def test_concurrent_writes_are_no_difference(populated: DataPaths) -> None:
    with players_coming_in(populated):
        assert [verify.main([]) for _ in range(10)] == [0] * 10

    assert read_rows(populated.users, "SELECT COUNT(*) FROM users")[0][0] > 300


def test_refused_result_is_reported_and_a_pending_one_is_not(
    populated: DataPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    user = UUID(bytes=read_rows(populated.users, "SELECT user_id FROM users LIMIT 1")[0][0])
    with closing(sqlite3.connect(populated.plays)) as plays, plays:
        for game_id, refused in ((5, None), (6, "409: Another result.")):
            plays.execute("INSERT INTO plays VALUES (?, ?, 0, '2026-11-23 12:00:00')", (user.bytes, game_id))
            row = (user.bytes, game_id, refused)
            plays.execute("INSERT INTO outbox VALUES (?, ?, 1, 3, '2026-11-23 12:05:00', ?)", row)
    assert find_differences(capsys) == [f"play: game 6 of {user} is not in stats: 409: Another result."]


def test_play_of_an_unknown_player_is_a_note_and_no_difference(
    populated: DataPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    user = uuid4()
    with closing(sqlite3.connect(populated.plays)) as plays, plays:
        plays.execute("INSERT INTO plays VALUES (?, 5, 0, '2026-11-23 12:00:00')", (user.bytes,))
        plays.execute("INSERT INTO outbox VALUES (?, 5, 1, 3, '2026-11-23 12:05:00', NULL)", (user.bytes,))

    assert verify.main([]) == 0

    note, summary = capsys.readouterr().out.splitlines()
    assert note == f"note: {user} has a play or an undelivered result, and is no user"
    assert summary.endswith(": all databases agree.")
    assert backup.main([str(tmp_path / "backup")]) == 0


@pytest.mark.parametrize(
    ("damage", "has", "should_have"),
    [
        ("UPDATE score_counts SET players = players + 1", 2, 1),
        ("UPDATE score_counts SET players = 0", 0, 1),
        ("DELETE FROM score_counts", 0, 1),
        ("INSERT INTO score_counts VALUES ('wins', 99999, 7)", 7, 0),
    ],
)
def test_score_count_that_the_standings_do_not_give_is_found(
    populated: DataPaths, damage: str, has: int, should_have: int, capsys: pytest.CaptureFixture[str]
) -> None:
    shard = populated.shards[1]
    select_score = "SELECT score FROM score_counts WHERE board = 'wins' AND players = 1 LIMIT 1"
    ((score,),) = read_rows(shard, select_score)
    if not damage.startswith("INSERT"):
        damage += f" WHERE board = 'wins' AND score = {score}"
    else:
        score = 99999
    write_rows(shard, damage)
    (difference,) = find_differences(capsys)
    sentence = f"wins has {has} players with the score {score}, the standings give {should_have}"
    assert difference == f"score: {shard}: {sentence}"


def test_score_count_of_zero_is_as_good_as_none(populated: DataPaths) -> None:
    write_rows(populated.shards[1], "INSERT INTO score_counts VALUES ('wins', 99999, 0)")
    assert verify.main([]) == 0


@pytest.mark.parametrize(
    ("damage", "difference"),
    [
        ("UPDATE game_counts SET players = players + 1", 1),
        ("DELETE FROM game_counts", -1),
    ],
)
def test_game_count_that_the_games_do_not_give_is_found(
    populated: DataPaths, damage: str, difference: int, capsys: pytest.CaptureFixture[str]
) -> None:
    shard = populated.shards[1]
    select_count = "SELECT game_id, guesses FROM game_counts WHERE won AND players = 1 LIMIT 1"
    ((game_id, guesses),) = read_rows(shard, select_count)
    write_rows(shard, f"{damage} WHERE game_id = {game_id} AND won AND guesses = {guesses}")
    sentence = f"game {game_id} has {1 + difference} players who won it at guess {guesses}, the games give 1"
    assert find_differences(capsys) == [f"game: {shard}: {sentence}"]


def test_game_count_without_games_is_found(populated: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(populated.shards[2], "INSERT INTO game_counts VALUES (99999, 0, 6, 7)")
    sentence = "game 99999 has 7 players who lost it at guess 6, the games give 0"
    assert find_differences(capsys) == [f"game: {populated.shards[2]}: {sentence}"]
