"""The stats service: `create_app(settings)`."""

from functools import partial

from fastapi import FastAPI

from servicekit.clock import Clock, read_clock
from servicekit.db.cache import QueryCache
from servicekit.db.sharding import Shards
from servicekit.observability.metrics import Metrics
from servicekit.service import create_service, open_database
from stats import queries
from stats.dependencies import StatsDatabases
from stats.problems import TYPES
from stats.routes import router
from stats.settings import Settings

DESCRIPTION = """Results of finished games, statistics of each player, and two leaderboards.

The games of a player are all in one of three databases, the shards, chosen by the player's id; a leaderboard is
merged from the tops of all. Days are UTC days, and a game's number is the days since 2021-06-19."""

CACHED_TOPS = 16
"""Pages of 100 rows: about 1 MB in all. A log-in also changes users.db, and so empties this cache; it fills again with
one read."""
TAGS = {
    "leaders": "The two leaderboards.",
    "statistics": "What a player has achieved.",
    "games": "How the puzzles went, for all players together.",
    "results": "The results of finished games.",
    "shards": "The databases over which results are distributed.",
}


def create_app(settings: Settings, *, clock: Clock = read_clock) -> FastAPI:
    metrics = Metrics()
    users = open_database(settings, metrics, settings.users_url, schema_version=queries.USERS_SCHEMA_VERSION)
    shards = [
        open_database(settings, metrics, url, schema_version=queries.SHARD_SCHEMA_VERSION)
        for url in settings.shard_urls
    ]
    app = create_service(
        settings,
        metrics,
        name="stats",
        description=DESCRIPTION,
        tags=TAGS,
        router=router,
        problem_types=TYPES,
        databases=[users, *shards],
        checks=[
            partial(queries.check_users, users),
            *(partial(queries.check_shard, shard) for shard in shards),
        ],
    )
    app.state.clock = clock
    app.state.databases = StatsDatabases(
        users=users, shards=Shards(shards), tops=QueryCache([users, *shards], size=CACHED_TOPS)
    )
    return app


def create_app_from_environment() -> FastAPI:
    """The factory that uvicorn is given (servicekit/server.py): importing this module reads no settings."""
    return create_app(Settings())
