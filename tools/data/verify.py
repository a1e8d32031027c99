"""bin/verify: checks that the databases are intact and consistent with each other."""

import argparse
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

from tqdm import tqdm

from servicekit.db.moves import explain_mark
from servicekit.db.sharding import shard_number
from stats.queries import standing_to_row
from stats.standings import Standing
from tools.config.paths import ROOT, DataPaths, read_data_paths
from tools.data.atomic_files import JOURNAL
from tools.data.database_readers import NO_SERVERS, Reader, Servers, reading, to_file_value
from tools.data.existing_data import IF_MISSING, describe, exists, refuse_interrupted_restore
from tools.data.rebuild_standings import COUNT_RESULTS, COUNT_SCORES, rebuild_standings
from tools.data.server_connections import Unusable
from tools.data.upgrades import current_version, list_all_schemas
from tools.script import run_script
from tools.wording import HelpFormatter, count
from users.accounts.names import is_placeholder

HELP = """Reads all databases and changes none, also while the services run. Recomputes each player's standing from the
games and compares it with the stored one and with the views; the score counts must match the standings, and the counts
of each puzzle the games; each player must exist and be in the right shard; an account that has ended must have no
password and no session; stats must not have refused a result; every file must pass SQLite's integrity check, and on
PostgreSQL no constraint or index may be invalid. Differences are listed, and make the exit status 1; notes are only
listed."""

SHOWN = 20
"""The number of differences of each kind that are listed."""

STANDING_COLUMNS = (
    "won", "won_in_1", "won_in_2", "won_in_3", "won_in_4", "won_in_5", "won_in_6",
    "lost", "max_streak", "last_run", "last_win_day", "last_day",
)  # fmt: skip
TABLES_OF_USERS = ("passwords", "sessions", "known_addresses")
"""Each of their rows belongs to a user."""

Row: TypeAlias = Mapping[str, object]
Check: TypeAlias = Callable[[Reader], None]


@dataclass
class Findings:
    differences: dict[str, list[str]] = field(default_factory=dict)
    """Sentences by kind."""
    notes: list[str] = field(default_factory=list)
    """Sentences for the operator about what is not a difference."""
    games: int = 0
    users: int = 0
    players: set[UUID] = field(default_factory=set)
    """Players with rows in a shard."""
    playing: set[UUID] = field(default_factory=set)
    """Players with a play or an undelivered result."""

    def add(self, kind: str, sentences: Iterable[str]) -> None:
        self.differences.setdefault(kind, []).extend(sentences)

    @property
    def total(self) -> int:
        return sum(map(len, self.differences.values()))

    @property
    def damage(self) -> int:
        """Without permanently refused results, which wait for the operator while the databases are consistent."""
        return self.total - len(self.differences.get("play", []))


def check_database(reader: Reader, schema: str, findings: Findings, check: Check) -> None:
    """Runs a check on an intact database of the current version."""
    problems = reader.find_damage()
    findings.add("integrity", (f"{reader.name}: {problem}" for problem in problems))
    if mark := explain_mark(version := reader.find_version()):
        findings.add("version", [f"{reader.name} {mark}"])
    elif version != current_version(schema):
        advice = "run bin/init" if version < current_version(schema) else "run the version that made it"
        sentence = f"{reader.name} has schema version {version}, and this Quintet {current_version(schema)}: {advice}"
        findings.add("version", [sentence])
    elif not problems:
        check(reader)


def check_shard(shard: Reader, number: int, names: Sequence[str], findings: Findings) -> None:
    """`names` are those of all shards."""
    name = shard.name
    rebuilt = dict(rebuild_standings(shard, shard.engine))
    stored = read_stored_standings(shard)
    players = rebuilt.keys() | stored.keys()
    findings.games += sum(standing.played for standing in rebuilt.values())
    findings.players |= players
    findings.add("standing", compare_standings(name, stored, rebuilt))
    findings.add("view", compare_views(name, shard, rebuilt))
    findings.add("shard", find_misplaced_players(name, number, names, players))
    findings.add("score", compare_score_counts(name, shard))
    findings.add("game", compare_game_counts(name, shard))


def read_stored_standings(shard: Reader) -> dict[UUID, Row]:
    """Without conversion, so that an invalid value is a difference like any other."""
    rows = shard.execute(f"SELECT user_id, {', '.join(STANDING_COLUMNS)} FROM standings")  # noqa: S608 - names of ours
    return {UUID(bytes=row[0]): dict(zip(STANDING_COLUMNS, row[1:], strict=True)) for row in rows}


def compare_standings(name: str, stored: Mapping[UUID, Row], rebuilt: Mapping[UUID, Standing]) -> Iterator[str]:
    for user_id, standing in rebuilt.items():
        row = stored.get(user_id)
        if row is None:
            yield f"{name}: {user_id} has {standing.played} games and no standing"
            continue
        expected = standing_to_row(user_id, standing)
        for column in STANDING_COLUMNS:
            if row[column] != (value := to_file_value(expected[column])):
                yield f"{name}: the standing of {user_id} has {column} {row[column]}, the games give {value}"
    for user_id in stored.keys() - rebuilt.keys():
        yield f"{name}: {user_id} has a standing and no games"


def compare_views(name: str, shard: Reader, rebuilt: Mapping[UUID, Standing]) -> Iterator[str]:
    wins = read_numbers(shard, "SELECT user_id, wins FROM wins")
    streaks = read_numbers(shard, "SELECT user_id, MAX(streak) FROM streaks GROUP BY user_id")
    for user_id, standing in rebuilt.items():
        if wins.get(user_id, 0) != standing.won:
            yield f"{name}: the view wins gives {user_id} {wins.get(user_id, 0)}, the games {standing.won}"
        if streaks.get(user_id, 0) != standing.max_streak:
            yield (
                f"{name}: the longest streak of {user_id} is {streaks.get(user_id, 0)} in the view streaks,"
                f" {standing.max_streak} by the games"
            )


def read_numbers(shard: Reader, sql: str) -> dict[UUID, int]:
    return {UUID(bytes=user_id): number for user_id, number in shard.execute(sql)}


def compare_score_counts(name: str, shard: Reader) -> Iterator[str]:
    """A stored count of 0 is equal to a missing one."""
    stored = {(board, score): players for board, score, players in shard.execute("SELECT * FROM score_counts")}
    counted = {(board, score): players for board, score, players in shard.execute(COUNT_SCORES)}
    for board, score in sorted(stored.keys() | counted.keys()):
        has, should_have = stored.get((board, score), 0), counted.get((board, score), 0)
        if has != should_have:
            yield f"{name}: {board} has {has} players with the score {score}, the standings give {should_have}"


def compare_game_counts(name: str, shard: Reader) -> Iterator[str]:
    stored = {tuple(key): players for *key, players in shard.execute("SELECT * FROM game_counts")}
    counted = {tuple(key): players for *key, players in shard.execute(COUNT_RESULTS)}
    for key in sorted(stored.keys() | counted.keys()):
        has, should_have = stored.get(key, 0), counted.get(key, 0)
        if has != should_have:
            game_id, won, guesses = key
            result = f"{'won' if won else 'lost'} it at guess {guesses}"
            yield f"{name}: game {game_id} has {has} players who {result}, the games give {should_have}"


def find_misplaced_players(name: str, number: int, names: Sequence[str], players: Iterable[UUID]) -> Iterator[str]:
    for user_id in players:
        right = shard_number(user_id, len(names))
        if right != number:
            yield f"{name}: {user_id} belongs in {names[right]}"


def check_users(users: Reader, findings: Findings) -> None:
    known = {UUID(bytes=user_id) for (user_id,) in users.execute("SELECT user_id FROM users")}
    findings.users = len(known)
    findings.add("user", (f"{user_id} has games and is no user" for user_id in findings.players - known))
    findings.add("account", find_rows_without_a_user(users))
    findings.add("account", find_rows_of_ended_accounts(users))
    findings.notes += (
        f"{user_id} has a play or an undelivered result, and is no user"
        for user_id in sorted(findings.playing - findings.players - known)
    )


def find_rows_without_a_user(users: Reader) -> Iterator[str]:
    """SQLite checks foreign keys only for connections that ask for it, PostgreSQL not while it replicates."""
    for table in TABLES_OF_USERS:
        query = f"SELECT COUNT(*) FROM {table} WHERE user_id NOT IN (SELECT user_id FROM users)"  # noqa: S608 - names of ours
        ((rows,),) = users.execute(query)
        if rows:
            yield f"{count(rows, 'row')} of {table} without a user"


def find_rows_of_ended_accounts(users: Reader) -> Iterator[str]:
    for table in TABLES_OF_USERS:
        rows = users.execute(f"SELECT DISTINCT user_id, username FROM users JOIN {table} USING (user_id)")  # noqa: S608 - names of ours
        for id_bytes, username in rows:
            if is_placeholder(username, user_id := UUID(bytes=id_bytes)):
                yield f"the account of {user_id} has ended and still has a row in {table}"


def read_answers(answers: Reader, used: dict[str, str]) -> None:
    """Adds each word that is or may become an answer, with a description."""
    used |= {word: f"the candidate {word}" for (word,) in answers.execute("SELECT word FROM candidates")}
    for game_id, word in answers.execute("SELECT game_id, answer FROM answers"):
        used[word] = f"the answer of game {game_id}"  # without the word, since cron mails the output


def check_words(words: Reader, used: Mapping[str, str], findings: Findings) -> None:
    known = {word for (word,) in words.execute("SELECT word FROM words")}
    findings.notes += (
        f"{what} is not in the dictionary, but may be guessed" for word, what in used.items() if word not in known
    )


def check_plays(plays: Reader, findings: Findings) -> None:
    """Adds the results that stats has permanently refused; undelivered results are no difference."""
    playing = "SELECT user_id FROM plays UNION SELECT user_id FROM outbox"
    findings.playing |= {UUID(bytes=user) for (user,) in plays.execute(playing)}
    refused = plays.execute("SELECT user_id, game_id, refused FROM outbox WHERE refused IS NOT NULL")
    findings.add(
        "play", (f"game {game_id} of {UUID(bytes=user)} is not in stats: {why}" for user, game_id, why in refused)
    )


def list_checks(data_paths: DataPaths, findings: Findings) -> list[tuple[Path, Check]]:
    """In the order of the snapshots. Services store a user before a play or a game, and a word before an answer, so
    users and words are read later."""
    used: dict[str, str] = {}
    names = [data_paths.name(path) for path in data_paths.shards]
    return [
        (data_paths.plays, partial(check_plays, findings=findings)),
        *(
            (path, partial(check_shard, number=number, names=names, findings=findings))
            for number, path in enumerate(data_paths.shards)
        ),
        (data_paths.users, partial(check_users, findings=findings)),
        (data_paths.answers, partial(read_answers, used=used)),
        (data_paths.words, partial(check_words, used=used, findings=findings)),
    ]


def verify(data_paths: DataPaths, servers: Servers = NO_SERVERS) -> Findings:
    """`servers` are connections in a transaction, which sees what is to be checked.

    Raises SystemExit if a database is missing, or if a script was killed while it replaced databases."""
    if (data_paths.folder / JOURNAL).exists():
        raise SystemExit("A script was killed while it replaced databases: bin/init finishes its work.")
    if missing := [path for path in data_paths.all if path not in servers and not exists(data_paths, path)]:
        raise SystemExit(f"{describe(data_paths, missing)} is missing: {IF_MISSING}.")
    findings = Findings()
    schemas = list_all_schemas(data_paths)
    for path, check in tqdm(list_checks(data_paths, findings), unit=" databases", leave=False, disable=None):
        try:
            with reading(data_paths, path, servers) as reader:
                check_database(reader, schemas[path], findings, check)
        except (sqlite3.Error, Unusable) as error:
            reason = error.reason if isinstance(error, Unusable) else error
            findings.add("integrity", [f"{data_paths.name(path)} cannot be read: {reason}"])
    return findings


def print_differences(findings: Findings) -> None:
    for kind, sentences in {**findings.differences, "note": findings.notes}.items():
        for sentence in islice(sentences, SHOWN):
            print(f"{kind}: {sentence}")
        if len(sentences) > SHOWN:
            print(f"{kind}: and {len(sentences) - SHOWN:,} more")


def main(argv: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser("bin/verify", description=HELP, formatter_class=HelpFormatter).parse_args(argv)
    os.chdir(ROOT)
    data_paths = read_data_paths()
    refuse_interrupted_restore(data_paths)
    findings = verify(data_paths)
    print_differences(findings)
    print(
        f"{count(findings.users, 'player')}, {len(findings.players):,} of them with {count(findings.games, 'game')}:"
        f" {count(findings.total, 'difference') if findings.total else 'all databases agree'}."
    )
    return 1 if findings.total else 0


if __name__ == "__main__":
    run_script(main)
