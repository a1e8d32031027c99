"""Long lists are given in pages: `limit` rows after the one that `after` names, and a link to the next page.

The link is RFC 8288's: `Link: </api/words?limit=100&after=cigar>; rel="next"`, on every page but the last.
"""

from collections.abc import Mapping
from typing import Annotated, TypeVar

from fastapi import Query, Request, Response
from pydantic import Field

from servicekit.http.parameters import DIGITS_ONLY

T = TypeVar("T")

PageLimit = Annotated[int, Field(ge=1, le=1000), DIGITS_ONLY, Query(description="how many rows at most, 1-1000")]


def cut_page(rows: list[T], limit: int) -> tuple[list[T], bool]:
    """The page and whether another one follows; `rows` were queried with a limit of one more."""
    return rows[:limit], len(rows) > limit


def link_next(request: Request, response: Response, parameters: Mapping[str, object]) -> None:
    """Names the next page of a list by its query parameters; None is left out.

    The values are numbers, ids and words of a-z: nothing in them would have to be escaped.
    """
    query = "&".join(f"{name}={value}" for name, value in parameters.items() if value is not None)
    path = request.scope["path"].rstrip("/") or "/"
    response.headers["Link"] = f'<{path}?{query}>; rel="next"'
