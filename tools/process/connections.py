"""How many connections the formation may open to each PostgreSQL server, against how many the server allows."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import games.settings
import stats.settings
import users.settings
import words.settings
from tools.config.paths import is_on_server
from tools.data.server_databases import run_on_server
from tools.process.layout import Layout

ALLOWED = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
     - COALESCE(current_setting('reserved_connections', true)::int, 0),
       (SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())
"""


@dataclass(frozen=True, slots=True)
class ServerConnections:
    hosts: str
    """As in the URLs."""
    most: int
    """That the formation opens: of each instance, POSTGRES_CONNECTIONS to each of its databases."""
    allowed: int
    """By the server, for all its clients but superusers."""
    opened: int
    """By all its clients, at this moment."""


def list_pools(layout: Layout) -> list[tuple[str, int]]:
    """The URL of each database on PostgreSQL, with how many connections all instances of a service may open to it."""
    users_settings, words_settings = users.settings.Settings(), words.settings.Settings()
    games_settings, stats_settings = games.settings.Settings(), stats.settings.Settings()
    urls = {
        "users": [users_settings.database_url],
        "words": [words_settings.database_url],
        "games": [games_settings.answers_url, games_settings.plays_url],
        "stats": [stats_settings.users_url, *stats_settings.shard_urls],
    }
    size = stats_settings.postgres_connections
    pools = [(url, size * layout.formation[service]) for service, service_urls in urls.items() for url in service_urls]
    return [(url, connections) for url, connections in pools if is_on_server(url)]


def read_connections(layout: Layout) -> list[ServerConnections]:
    """Of each server. Raises SystemExit with a sentence if one does not answer."""
    most: Counter[str] = Counter()
    urls: dict[str, str] = {}
    for url, connections in list_pools(layout):
        hosts = urlsplit(url).netloc.rpartition("@")[2]
        most[hosts] += connections
        urls[hosts] = url

    async def ask(connection: Any) -> tuple[int, int]:  # noqa: ANN401 - asyncpg's
        allowed, opened = await connection.fetchrow(ALLOWED)
        return allowed, opened

    return [ServerConnections(hosts, most[hosts], *run_on_server(url, ask)) for hosts, url in urls.items()]


def require_connections(layout: Layout) -> None:
    """Raises SystemExit with a sentence if a server allows fewer connections than this formation may open."""
    for server in read_connections(layout):
        if server.most > server.allowed:
            raise SystemExit(
                f"This formation may open {server.most} connections to {server.hosts}, which allows {server.allowed}:"
                " raise max_connections there, or lower POSTGRES_CONNECTIONS."
            )


def describe_connections(layout: Layout) -> list[str]:
    """A line for each server, for bin/status."""
    return [
        f"PostgreSQL at {server.hosts}: {server.opened} connections are open of {server.allowed} that it allows;"
        f" this formation opens {server.most} at most."
        for server in read_connections(layout)
    ]
