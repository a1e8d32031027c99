"""The stats service: `create_app(settings)`, and `app` for uvicorn."""

from functools import partial

from fastapi import FastAPI

from servicekit.auth.tokens import TokenVerifier
from servicekit.clock import Clock, read_clock
from servicekit.db.cache import QueryCache
from servicekit.db.database import open_database
from servicekit.db.sharding import Shards
from servicekit.observability.metrics import Metrics
from servicekit.service import create_service
from stats import queries
from stats.dependencies import Databases
from stats.routes import router
from stats.settings import Settings

DESCRIPTION = """Results of finished games, statistics of each player, and two leaderboards.

The games of a player are all in one of three databases, the shards, which the player's id chooses; a leaderboard is
merged from the tops of all. Days are UTC days, and a game's number is the days since 2021-06-19."""

REMEMBERED_TOPS = 16
"""Of a hundred rows each they take a megabyte."""


def create_app(settings: Settings, *, clock: Clock = read_clock) -> FastAPI:
    metrics = Metrics()
    users = open_database(
        settings.users_url,
        busy_timeout_ms=settings.busy_timeout_ms,
        schema_version=queries.USERS_SCHEMA_VERSION,
        watch_waits=metrics.watch_waits,
    )
    shards = [
        open_database(
            url,
            busy_timeout_ms=settings.busy_timeout_ms,
            schema_version=queries.SHARD_SCHEMA_VERSION,
            watch_waits=metrics.watch_waits,
        )
        for url in settings.shard_urls
    ]
    app = create_service(
        title="Quintet stats",
        description=DESCRIPTION,
        instance=settings.instance or "stats",
        router=router,
        databases=[users, *shards],
        token_verifier=TokenVerifier(settings.token_public_key_file),
        checks=[
            partial(queries.check_users, users),
            *(partial(queries.check_shard, shard) for shard in shards),
        ],
        metrics=metrics,
    )
    app.state.clock = clock
    app.state.databases = Databases(
        users=users, shards=Shards(shards), tops=QueryCache([users, *shards], most=REMEMBERED_TOPS)
    )
    return app


def __getattr__(name: str) -> FastAPI:
    """`app` is made when uvicorn asks for it, so that importing this module reads no settings and no disk."""
    if name == "app":
        return create_app(Settings())
    raise AttributeError(name)
