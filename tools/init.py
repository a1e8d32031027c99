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
from tools.contents import has_row, list_inhabited
from tools.keys import stage_keys
from tools.locations import ROOT, SHARE, Locations, read_locations
from tools.script import run_script
from tools.staging import create_database, exclusive, replace_databases, seal, staged
from tools.upgrades import describe_upgrades, refuse_later_versions, upgrade_all
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


def list_makers(locations: Locations) -> dict[Path, Callable[[Path], None]]:
    """Each database, and what makes it under the name it is given."""
    return {
        locations.users: partial(make_empty, "users.sql"),
        **dict.fromkeys(locations.shards, partial(make_empty, "games.sql")),
        locations.words: make_words,
        locations.answers: make_answers,
        locations.plays: partial(make_empty, "plays.sql"),
    }


def refuse_lost(locations: Locations, missing: Sequence[Path]) -> None:
    """Raises SystemExit if a database of the players is missing while others still know players."""
    # A version before plays.db had none to lose.
    lost = [path for path in locations.players if path in missing and path != locations.plays]
    if locations.answers in missing and locations.plays.exists() and has_row(locations.plays, "plays"):
        raise SystemExit(
            f"{locations.answers} cannot be made while {locations.plays} has plays, which were for other answers: bring"
            " it back, or make all anew with --force."
        )
    if lost and (left := list_inhabited(locations)):
        raise SystemExit(
            f"{to_text(lost)} cannot be made empty while {to_text(left)} still has players: bring it back, or make all"
            " anew with --force."
        )


def to_text(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths))


def make_files(locations: Locations, *, force: bool) -> str:
    """Returns the summary, which is empty if there was nothing to do."""
    makers = list_makers(locations)
    with exclusive(locations.folder, [*locations.all, *locations.keys]):
        missing = [path for path in makers if force or not path.exists()]
        if not force:
            refuse_later_versions(locations)
            refuse_lost(locations, missing)
        for path in missing:
            makers[path](staged(path))
        made = [*missing, *stage_keys(locations, force=force)]
        if made:
            replace_databases(made, locations.folder)
        upgrades = upgrade_all(locations)
        for path in locations.all:
            path.chmod(0o600)  # an earlier version left it to the umask who reads answers and hashes
        own_folder = ROOT / "var"
        if own_folder.is_dir() and not own_folder.is_symlink():
            own_folder.chmod(0o700)  # the same for its own folder; others are their owner's to decide on
    sentences = [f"Made {to_text(made)}."] if made else []
    sentences += describe_upgrades(upgrades)
    return " ".join(sentences)


def make_or_refuse(locations: Locations, *, force: bool) -> str:
    """As `make_files`; raises SystemExit also for a key that cannot be read."""
    try:
        return make_files(locations, force=force)
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
    print(make_or_refuse(read_locations(), force=arguments.force) or "All databases and keys exist: nothing to do.")
    return 0


if __name__ == "__main__":
    run_script(main)
