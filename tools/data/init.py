"""bin/init: makes the databases and keys that do not exist."""

import argparse
import os
import random
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from games.puzzles import game_id_of
from games.schedule import draw_missing
from servicekit.problems import Problem
from tools.config.paths import ROOT, SHARE, DataPaths, read_data_paths
from tools.data.atomic_files import create_database, exclusive, replace_databases, seal, staged
from tools.data.existing_data import has_row, list_inhabited
from tools.data.keys import stage_keys
from tools.data.upgrades import describe_upgrades, refuse_later_versions, upgrade_all
from tools.script import run_script
from tools.wording import HelpFormatter

HELP = """Makes the databases that do not exist: users, games and plays without a row, the dictionary, and the answers
of all past puzzles; and the keys that tokens are signed and verified with. What exists stays as it
is, except that a database of an earlier version is brought up to date, which is refused while a service has it open."""


def read_words(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split()


def make_empty(schema: str, path: Path) -> None:
    create_database(path, SHARE / schema).close()
    seal(path)


def make_words(path: Path) -> None:
    with closing(create_database(path, SHARE / "words.sql")) as words:
        insert_all(words, "INSERT INTO words (word) VALUES (?)", [(word,) for word in read_words(SHARE / "words.txt")])
    seal(path)


def make_answers(path: Path) -> None:
    candidates = read_words(SHARE / "answers.txt")
    yesterday = game_id_of(datetime.now(UTC).date()) - 1  # today's is drawn when it is needed
    drawn = draw_missing(candidates, {}, last_game=yesterday, rng=random.SystemRandom())
    with closing(create_database(path, SHARE / "answers.sql")) as database:
        insert_all(database, "INSERT INTO candidates (word) VALUES (?)", [(word,) for word in candidates])
        insert_all(
            database, "INSERT INTO answers (game_id, answer, source) VALUES (?, ?, 'drawn')", list(drawn.items())
        )
    seal(path)


def insert_all(database: sqlite3.Connection, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
    database.execute("BEGIN")
    database.executemany(sql, rows)
    database.execute("COMMIT")


def list_makers(data_paths: DataPaths) -> dict[Path, Callable[[Path], None]]:
    """Each database, and what makes it under the name it is given."""
    return {
        data_paths.users: partial(make_empty, "users.sql"),
        **dict.fromkeys(data_paths.shards, partial(make_empty, "games.sql")),
        data_paths.words: make_words,
        data_paths.answers: make_answers,
        data_paths.plays: partial(make_empty, "plays.sql"),
    }


def refuse_lost(data_paths: DataPaths, missing: Sequence[Path]) -> None:
    """Raises SystemExit if a database of the players is missing while others still know players."""
    # A version before plays.db had none to lose.
    lost = [path for path in data_paths.players if path in missing and path != data_paths.plays]
    if data_paths.answers in missing and data_paths.plays.exists() and has_row(data_paths.plays, "plays"):
        raise SystemExit(
            f"{data_paths.answers} cannot be made while {data_paths.plays} has plays, which were for other answers:"
            " bring it back, or make all anew with --force."
        )
    if lost and (left := list_inhabited(data_paths)):
        raise SystemExit(
            f"{to_text(lost)} cannot be made empty while {to_text(left)} still has players: bring it back, or make all"
            " anew with --force."
        )


def to_text(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths))


def make_files(data_paths: DataPaths, *, force: bool) -> str:
    """Returns the summary, which is empty if there was nothing to do."""
    makers = list_makers(data_paths)
    with exclusive(data_paths.folder, [*data_paths.all, *data_paths.keys]):
        missing = [path for path in makers if force or not path.exists()]
        if not force:
            refuse_later_versions(data_paths)
            refuse_lost(data_paths, missing)
        for path in missing:
            makers[path](staged(path))
        made = [*missing, *stage_keys(data_paths, force=force)]
        if made:
            replace_databases(made, data_paths.folder)
        upgrades = upgrade_all(data_paths)
        for path in data_paths.all:
            path.chmod(0o600)  # an earlier version left it to the umask who reads answers and hashes
        own_folder = ROOT / "var"
        if own_folder.is_dir() and not own_folder.is_symlink():
            own_folder.chmod(0o700)  # the same for its own folder; others are their owner's to decide on
    sentences = [f"Made {to_text(made)}."] if made else []
    sentences += describe_upgrades(upgrades)
    return " ".join(sentences)


def make_or_refuse(data_paths: DataPaths, *, force: bool) -> str:
    """As `make_files`; raises SystemExit also for a key that cannot be read."""
    try:
        return make_files(data_paths, force=force)
    except Problem as problem:
        raise SystemExit(problem.detail) from problem


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/init", description=HELP, formatter_class=HelpFormatter)
    parser.add_argument(
        "--force",
        action="store_true",
        help="make all anew, and lose all players, games and tokens; refused while a service has a database open",
    )
    arguments = parser.parse_args(argv)
    os.chdir(ROOT)
    print(make_or_refuse(read_data_paths(), force=arguments.force) or "All databases and keys exist: nothing to do.")
    return 0


if __name__ == "__main__":
    run_script(main)
