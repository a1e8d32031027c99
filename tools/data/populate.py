"""bin/populate: fills the databases with simulated players and their games."""

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path

from tqdm import tqdm

from games.rules.puzzles import FIRST_DAY, game_id_of
from servicekit.db.sharding import Shards
from tools.config.paths import ROOT, SHARE, DataPaths, read_data_paths
from tools.data.atomic_files import new_database, refuse_in_use, staged, staging_lock
from tools.data.existing_data import describe, refuse_populated
from tools.data.init import create_empty, install
from tools.data.parallel import run_in_parallel
from tools.data.rebuild_standings import fill_standings
from tools.data.simulated_players import GameRow, SimulatedPlayer, draw_players, play_games
from tools.script import run_script
from tools.wording import DefaultsHelpFormatter, count

HELP = """Fills the databases of users and games with simulated players, who differ in skill and in how often they play;
each plays at most one game a day, from 2021-06-19 on. The same options give the same data, ids included. The databases
are replaced when the new ones are complete."""

ERASE_BELOW = "\r\x1b[J"
"""The escape sequence that erases the terminal from the start of the line to the end of the screen."""


def build_users(path: Path, players: Sequence[SimulatedPlayer]) -> None:
    with new_database(path, SHARE / "users.sql") as users:
        users.executemany(
            "INSERT INTO users (user_id, username) VALUES (?, ?)",
            ((player.user_id.bytes, player.username) for player in players),
        )


def build_shard(path: Path, counts: Sequence[tuple[bytes, int]], *, number: int, days: int, seed: str) -> None:
    """`counts` are ids and numbers of games, in the order of the ids, in which the rows are stored."""
    rng = random.Random(seed)  # noqa: S311 - not secret, and must be reproducible
    bar = tqdm(counts, desc=f"shard {number}", unit=" players", position=number, leave=False, disable=None)
    with new_database(path, SHARE / "games.sql") as shard:
        shard.execute("PRAGMA ignore_check_constraints = ON")  # takes a tenth less time; bin/verify checks them
        for rows in in_batches(play_games(bar, days=days, rng=rng)):
            places = ", ".join(["(?, ?, ?, ?, ?)"] * len(rows))
            shard.execute(
                f"INSERT INTO games (user_id, game_id, finished, guesses, won) VALUES {places}",  # noqa: S608 - places
                list(chain.from_iterable(rows)),
            )
        fill_standings(shard)


def in_batches(rows: Iterator[GameRow]) -> Iterator[list[GameRow]]:
    """One statement with fifty rows takes half the time of fifty statements."""
    while batch := list(islice(rows, 50)):
        yield batch


def build_all(data_paths: DataPaths, *, users: int, games: int, days: int, seed: int) -> None:
    """Builds the staged files of the players' databases in parallel."""
    rng = random.Random(seed)  # noqa: S311 - see build_shard
    players = draw_players(users, games=games, days=days, rng=rng)
    parts: Shards[list[tuple[bytes, int]]] = Shards([[] for _ in data_paths.shards])
    for player in players:
        parts.of(player.user_id).append((player.user_id.bytes, player.games))
    shards = [
        partial(build_shard, staged(path), part, number=number, days=days, seed=f"{seed}, shard {number}")
        for number, (path, part) in enumerate(zip(data_paths.shards, parts, strict=True))
    ]
    create_empty("plays.sql", staged(data_paths.plays))
    try:
        run_in_parallel([*shards, partial(build_users, staged(data_paths.users), players)])
    finally:
        erase_progress_bars()


def erase_progress_bars() -> None:
    """Several processes leave remains of their bars below the cursor."""
    if sys.stderr.isatty():
        print(ERASE_BELOW, end="", file=sys.stderr, flush=True)


def populate(data_paths: DataPaths, *, users: int, games: int, until: date, seed: int, force: bool) -> None:
    """Raises SystemExit if the options are inconsistent, or if there are players already and `force` is not set."""
    days = game_id_of(until) + 1
    if games > users * days:
        raise SystemExit(
            f"{users:,} players have time for {users * days:,} games until {until}, one a day: {games:,} are too many."
        )
    with staging_lock(data_paths.folder, data_paths.players):
        if not force:
            refuse_populated(data_paths, advice="bin/populate --force replaces all players and games")
        refuse_in_use([path for path in data_paths.players if path not in data_paths.on_servers])
        build_all(data_paths, users=users, games=games, days=days, seed=seed)
        install(data_paths, data_paths.players, replace=True)


def at_least(minimum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() else -1
        if number < minimum:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {minimum}")
        return number

    return parse


def parse_until(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2022-12-31") from None
    if not FIRST_DAY <= day < datetime.now(UTC).date():
        raise argparse.ArgumentTypeError(f"{text} is not between {FIRST_DAY}, the first puzzle's day, and yesterday")
    return day


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("bin/populate", description=HELP, formatter_class=DefaultsHelpFormatter)
    parser.add_argument("--users", type=at_least(1), default=100_000, metavar="N", help="number of players")
    parser.add_argument("--games", type=at_least(0), default=1_000_000, metavar="N", help="total number of games")
    parser.add_argument("--seed", type=at_least(0), default=2022, metavar="N", help="seed of the random numbers")
    parser.add_argument("--until", type=parse_until, default="2022-12-31", metavar="DAY", help="the last day played")
    parser.add_argument("--force", action="store_true", help="replace existing players and games")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parse_arguments(argv)
    os.chdir(ROOT)
    data_paths = read_data_paths()
    start = time.monotonic()
    populate(data_paths, **vars(arguments))
    places = describe(data_paths, (data_paths.users, *data_paths.shards))
    seconds = time.monotonic() - start
    print(f"{count(arguments.users, 'player')} and {count(arguments.games, 'game')} are in {places} ({seconds:.1f} s).")
    return 0


if __name__ == "__main__":
    run_script(main)
