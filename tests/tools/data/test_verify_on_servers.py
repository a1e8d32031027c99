"""bin/verify on PostgreSQL and on mixtures of the two engines: the same sentences as on files."""

from pathlib import Path
from uuid import UUID

import pytest

from tests.support.postgres_server import SUPERUSER
from tests.support.stored import StoredOnServer, new_copy, use_server
from tests.support.writers import writing
from tools.config.paths import DataPaths
from tools.data import verify
from users.accounts.names import make_placeholder

UNKNOWN_USER = UUID(int=0)
NAMES = {
    "FIRST": "(SELECT user_id FROM standings ORDER BY won DESC, user_id LIMIT 1)",
    "UNKNOWN_USER": f"'{UNKNOWN_USER}'",
    "PLACEHOLDER": f"'{make_placeholder(UNKNOWN_USER)}'",
}
DAMAGE = {
    "games1": {
        "UPDATE standings SET max_streak = 99 WHERE user_id = FIRST": " has max_streak 99, the games give ",
        "UPDATE standings SET last_day = '2031-01-01' WHERE user_id = FIRST": " has last_day 2031-01-01, the games",
        "UPDATE standings SET last_win_day = NULL WHERE user_id = FIRST": " has last_win_day None, the games give 2",
        "DELETE FROM games WHERE user_id = FIRST": " has a standing and no games",
        "DELETE FROM standings WHERE user_id = FIRST": " games and no standing",
        "INSERT INTO score_counts VALUES ('wins', 9999, 7)": ": wins has 7 players with the score 9999, the standings",
        "INSERT INTO game_counts VALUES (9999, false, 6, 7)": ": game 9999 has 7 players who lost it at guess 6, the",
        "CREATE OR REPLACE VIEW wins AS SELECT user_id, 99::bigint AS wins FROM games": ": the view wins gives ",
        f"ALTER TABLE standings OWNER TO {SUPERUSER}": " cannot be read: permission denied for table standings",
    },
    "users": {
        "DELETE FROM users": " has games and is no user",
        "SET session_replication_role = replica; INSERT INTO passwords VALUES (UNKNOWN_USER, 'a hash')": (
            "account: 1 row of passwords without a user"
        ),
        "INSERT INTO users VALUES (UNKNOWN_USER, PLACEHOLDER); INSERT INTO passwords VALUES (UNKNOWN_USER, 'a hash')": (
            f"account: the account of {UNKNOWN_USER} has ended and still has a row in passwords"
        ),
    },
    "plays": {
        "INSERT INTO plays VALUES (UNKNOWN_USER, 6, false, '2026-11-23 12:00:00Z');"
        "INSERT INTO outbox VALUES (UNKNOWN_USER, 6, true, 3, '2026-11-23 12:05:00Z', '409: Another result.')": (
            f"play: game 6 of {UNKNOWN_USER} is not in stats: 409: Another result."
        ),
        "ALTER TABLE outbox ADD CONSTRAINT few CHECK (guesses < 7) NOT VALID": (
            ": the constraint few of outbox is not validated"
        ),
    },
    "words": {
        "UPDATE schema_version SET version = 99": " has schema version 99, and this Quintet ",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'words_pkey'::regclass": (
            ": the index words_pkey is not valid"
        ),
    },
}
"""What may happen to a database, by statements of the superuser, and the sentence about it."""


@pytest.fixture
def suite(
    unmade: DataPaths, populated_suite: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch
) -> dict[str, StoredOnServer]:
    """What the settings name; not to be changed."""
    use_server(monkeypatch, populated_suite)
    return populated_suite


def tamper(database: StoredOnServer, statements: str) -> None:
    for name, value in NAMES.items():
        statements = statements.replace(name, value)
    database.server.execute(statements, database=database.name)


@pytest.mark.parametrize("kinds", [(), ("users",), ("shards",), ("plays", "answers", "words")], ids=" ".join)
def test_line_is_that_of_the_same_players_in_files(
    kinds: tuple[str, ...],
    populated: DataPaths,
    populated_suite: dict[str, StoredOnServer],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert verify.main([]) == 0
    in_files = capsys.readouterr().out
    use_server(monkeypatch, populated_suite, *kinds)
    assert verify.main([]) == 0
    assert capsys.readouterr().out == in_files


@pytest.mark.parametrize("name", DAMAGE)
def test_differences_on_a_server_are_found(
    name: str, suite: dict[str, StoredOnServer], populated_suite: dict[str, StoredOnServer],
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for statements, sentence in DAMAGE[name].items():
        with new_copy(populated_suite[name]) as damaged:
            use_server(monkeypatch, suite | {name: damaged})
            tamper(damaged, statements)
            assert verify.main([]) == 1
        *differences, summary = capsys.readouterr().out.splitlines()
        assert any(sentence in difference for difference in differences), (statements, differences)
        assert summary.endswith(("difference.", "differences."))


def test_shards_in_another_order_are_found(
    suite: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    urls = [suite[name].url for name in ("games1", "games0", "games2")]
    monkeypatch.setenv("STATS_SHARD_URLS", ",".join(urls))
    assert verify.main([]) == 1
    assert capsys.readouterr().out.splitlines()[0].endswith(f" belongs in {urls[1]}")


def test_database_without_tables_is_missing(suite: dict[str, StoredOnServer], on_server: dict[str, StoredOnServer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    use_server(monkeypatch, on_server, "words")
    with pytest.raises(SystemExit, match=f"^{on_server['words'].url} is missing: restore a backup"):
        verify.main([])


def test_writes_to_servers_in_the_meantime_are_no_difference(
    unmade: DataPaths,
    populated_on_server: dict[str, StoredOnServer],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    use_server(monkeypatch, populated_on_server)
    with writing([tmp_path / "acknowledged"]):
        assert [verify.main([]) for _ in range(5)] == [0] * 5
    assert populated_on_server["users"].read("SELECT count(*) FROM users")[0][0] > 300


def test_verify_leaves_no_session_behind(suite: dict[str, StoredOnServer]) -> None:
    verify.main([])
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'quintet%'"
    assert suite["users"].read(query) == [(0,)]
