"""What a route of words is given."""

from typing import Annotated, cast

from databases import Database
from fastapi import Depends, Path, Query, Request

from words.models import Prefix, Word


async def get_database(request: Request) -> Database:
    return cast(Database, request.app.state.words)


WordsDatabase = Annotated[Database, Depends(get_database)]
WordInPath = Annotated[Word, Path(description="five letters a-z; upper case is taken as lower")]
PrefixInQuery = Annotated[Prefix, Query(description="what the words begin with, 0-5 letters a-z")]
AfterInQuery = Annotated[Word | None, Query(description="the last word of the page before")]
