"""What a route of words is given."""

from typing import Annotated

from databases import Database
from fastapi import Path, Query

from servicekit.http.given import given
from words.models import Prefix, Word

WordsDatabase = Annotated[Database, given("words")]
WordInPath = Annotated[Word, Path(description="five letters a-z; upper case is taken as lower")]
PrefixInQuery = Annotated[Prefix, Query(description="what the words begin with, 0-5 letters a-z")]
AfterInQuery = Annotated[Word | None, Query(description="the last word of the page before")]
