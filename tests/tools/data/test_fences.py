from collections.abc import Iterator

import pytest

from tests.support.postgres_server import ROLE, SUPERUSER, PostgresServer
from tests.support.stored import StoredOnServer, drop_database, make_database
from tools.data.fences import end_sessions, fence, unfence_statement
from tools.data.server_connections import Unusable, connected


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[StoredOnServer]:
    database = make_database(postgres_server, "fenced")
    yield database
    drop_database(database)


def test_fence_ends_only_sessions_that_can_write(database: StoredOnServer) -> None:
    with (
        connected(database.server.url(database.name, role=SUPERUSER)) as server,
        connected(database.url) as earlier,
    ):
        fenced_at = fence(server, ROLE)
        earlier.execute("CREATE TABLE found (number INT)")
        with connected(database.url, session="any") as later:
            end_sessions(server, ROLE, fenced_at)
            with pytest.raises(Unusable):
                earlier.execute("DROP TABLE found")
            with pytest.raises(Unusable, match="read-only transaction"):
                later.execute("DROP TABLE found")
            assert later.fetch("SELECT * FROM found") == []


def test_fenced_database_is_not_used_until_it_is_opened(database: StoredOnServer) -> None:
    with connected(database.server.url(database.name, role=SUPERUSER)) as server:
        fence(server, ROLE)
        with pytest.raises(Unusable, match="target attribute"), connected(database.url):
            pass
        server.execute(unfence_statement(server.url, ROLE))
        with connected(database.url) as opened:
            opened.execute("CREATE TABLE found (number INT)")
