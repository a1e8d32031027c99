"""The dependencies of the routes of words."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from servicekit.db.database import Database
from servicekit.http.parameters import NO_NULL
from words.models import Prefix, Word


async def get_words(request: Request) -> Database:
    words: Database = request.app.state.words
    return words


WordsDatabase = Annotated[Database, Depends(get_words)]
WordInPath = Annotated[
    Word, Path(description="five letters a-z; upper case is taken as lower", json_schema_extra={"example": "crane"})
]
PrefixInQuery = Annotated[Prefix, Query(description="what the words begin with, 0-5 letters a-z")]
AfterInQuery = Annotated[Word | None, NO_NULL, Query(description="the last word of the page before")]
