"""The PostgreSQL backend of `Database`: its connections, with a reader and a writer."""

import asyncio
from typing import Any, NoReturn, cast

from databases import DatabaseURL
from databases.interfaces import DatabaseBackend

from servicekit.db.postgres.connections import Connection, Connections, Target
from servicekit.db.postgres.statements import bind, translate
from servicekit.db.postgres.writer import Writer
from servicekit.db.transaction import Values
from servicekit.db.writer import ReportWait


class Reader:
    """Each read is one statement, and so as of one moment."""

    def __init__(self, connections: Connections, time_limit_s: float) -> None:
        self._connections = connections
        self._time_limit_s = time_limit_s

    async def fetch_all(self, query: str, values: Values) -> list[Any]:
        statement, names = translate(query)
        arguments = bind(names, values)

        async def fetch(connection: Connection) -> list[Any]:
            return cast(list[Any], await connection.fetch(statement, *arguments))

        deadline = asyncio.get_running_loop().time() + self._time_limit_s
        return await self._connections.lend(fetch, deadline=deadline)


class PostgresBackend(DatabaseBackend):
    """The backend for URLs `postgresql://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE`. Of several hosts the connections
    lead to the one that takes writes."""

    def __init__(
        self,
        url: DatabaseURL,
        *,
        busy_timeout_ms: int,
        schema_version: int,
        report_wait: ReportWait,
        connections: int,
    ) -> None:
        time_limit_s = busy_timeout_ms / 1000
        self.name = url.database
        self._connections = Connections(
            Target(
                url=str(url),
                name=self.name,
                time_limit_s=time_limit_s,
                connections=connections,
                schema_version=schema_version,
            )
        )
        self.reader = Reader(self._connections, time_limit_s)
        self.writer = Writer(self._connections, time_limit_s, report_wait)

    async def connect(self) -> None:
        """Opens no connection: a service starts without its database, answers 503, and recovers when it is there."""
        await self._connections.open()

    async def disconnect(self) -> None:
        await self._connections.close()

    def connection(self) -> NoReturn:
        raise RuntimeError("Database has no connections of its own")
