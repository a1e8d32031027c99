"""The SQLite backend of `Database`: a file with its reader and its writer."""

from pathlib import Path
from typing import NoReturn

from databases import DatabaseURL
from databases.interfaces import DatabaseBackend

from servicekit.db.reader import Reader
from servicekit.db.sqlite_file import DatabaseFile
from servicekit.db.writer import ReportWait, Writer


class SQLiteBackend(DatabaseBackend):
    """The backend for URLs `sqlite:///PATH`, relative to the working directory, and `sqlite:////PATH`."""

    def __init__(
        self,
        url: DatabaseURL,
        *,
        busy_timeout_ms: int,
        schema_version: int,
        report_wait: ReportWait,
        **_options: object,
    ) -> None:
        self.file = DatabaseFile(Path(url.database), busy_timeout_ms, schema_version)
        self.reader = Reader(self.file)
        self.writer = Writer(self.file, report_wait)
        self.name = self.file.path.name

    async def connect(self) -> None:
        """Opens nothing: a service starts without its database, answers 503, and recovers when the file is there."""

    async def disconnect(self) -> None:
        self.reader.close()
        await self.writer.close()

    def connection(self) -> NoReturn:
        raise RuntimeError("Database has no connections of its own")
