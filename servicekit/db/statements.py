"""SQL text that goes to the database as it stands.

`databases` builds a SQLAlchemy text clause from every string that it is handed and compiles it anew, which costs more
than a point read. A Statement is made once, as a constant of a `queries.py`:

    SELECT_USER = Statement("SELECT username FROM users WHERE user_id = :user_id")
    row = await database.fetch_one(SELECT_USER, {"user_id": user_id})
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Compiled
from sqlalchemy.sql import ClauseElement


class Statement(ClauseElement):
    """SQL with `:name` parameters, and the values that are bound to them."""

    inherit_cache = False

    def __init__(self, sql: str, bound: Mapping[str, object] | None = None) -> None:
        self.sql = sql
        self.bound = bound or {}

    def values(self, **values: object) -> "Statement":
        """The same SQL with values bound; `databases` calls this with what it is handed beside a clause."""
        return Statement(self.sql, values)

    def compile(self, *args: Any, **kwargs: Any) -> Compiled:  # noqa: ANN401 - SQLAlchemy's own signature
        """For backends that want a SQLAlchemy clause (PostgreSQL's does); our SQLite backend does without."""
        clause = text(self.sql)
        return clause.bindparams(**self.bound).compile(*args, **kwargs)
