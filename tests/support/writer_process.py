"""A process that registers players and plays their games until it is killed, with the services' own code.

start_script("tests.support.writer_process", FILE) starts it on the databases of the settings. It writes a line to the
file for everything that a service would have acknowledged: `player ID` or `game ID NUMBER`.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TextIO
from uuid import UUID, uuid4

import games.queries
import stats.queries
import stats.results
import users.queries
from games.rules.plays import PlayResult
from servicekit.db.database import Database
from servicekit.db.engine import NO_LOCK
from servicekit.db.sharding import Shards
from servicekit.db.transaction import Transaction
from stats.store_result import store_result_in_shard
from tools.config.paths import read_data_paths

GAMES = 5
"""Games of each player."""
FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)


def read_acknowledged(path: Path) -> tuple[set[UUID], set[tuple[UUID, int]]]:
    """The acknowledged players, and the games as (player, number)."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    words = [line.split() for line in lines if line.endswith("\n")]  # the last line may be partial
    players = {UUID(user_id) for kind, user_id, *_ in words if kind == "player"}
    return players, {(UUID(user_id), int(number)) for kind, user_id, *numbers in words for number in numbers}


async def register(database: Database) -> UUID:
    user_id = uuid4()
    await database.write(partial(users.queries.insert_user, user_id=user_id, username=str(user_id)), lock=NO_LOCK)
    return user_id


async def play(plays: Database, shard: Database, result: PlayResult) -> None:
    """Plays a game from the start to the delivery of the result; each step is committed before the next."""
    user_id, game_id = result.user_id, result.game_id
    await plays.write(partial(start_and_finish, result=result), lock=(user_id,))
    stored = stats.results.Result(finished=result.finished, guesses=result.guesses, won=result.won)
    store = partial(store_result_in_shard, user_id=user_id, game_id=game_id, result=stored)
    await shard.write(partial(store, ignore_finished=False), lock=(user_id,))
    await plays.write(partial(games.queries.delete_result, user_id=user_id, game_id=game_id), lock=NO_LOCK)


async def start_and_finish(plays: Transaction, *, result: PlayResult) -> None:
    await games.queries.insert_play(
        plays, user_id=result.user_id, game_id=result.game_id, hard=False, begun=result.finished
    )
    await games.queries.insert_into_outbox(plays, result=result)


async def write_until_killed(acknowledged: TextIO) -> None:
    data_paths = read_data_paths()

    def open_path(path: Path, schema_version: int) -> Database:
        url = data_paths.on_servers.get(path, f"sqlite:///{path}")
        return Database(url, busy_timeout_ms=5000, schema_version=schema_version)  # other tests load the machine

    users_database = open_path(data_paths.users, users.queries.SCHEMA_VERSION)
    plays = open_path(data_paths.plays, games.queries.PLAYS_SCHEMA_VERSION)
    shards = Shards([open_path(shard, stats.queries.SHARD_SCHEMA_VERSION) for shard in data_paths.shards])
    for database in (users_database, plays, *shards):
        await database.connect()
    while True:
        user_id = await register(users_database)
        print("player", user_id, file=acknowledged, flush=True)
        for number in range(GAMES):
            result = PlayResult(user_id, number, won=number != 2, guesses=4, finished=FIRST + timedelta(days=number))
            await play(plays, shards.of(user_id), result)
            print("game", user_id, number, file=acknowledged, flush=True)


if __name__ == "__main__":
    with Path(sys.argv[1]).open("w", encoding="utf-8") as file:
        asyncio.run(write_until_killed(file))
