"""The endpoints of words, as seen behind Traefik's /api/words."""

from functools import partial

from fastapi import APIRouter, Request, Response, Security, status

from servicekit.auth.dependencies import get_caller
from servicekit.auth.tokens import Scope
from servicekit.db.engine import NO_LOCK
from servicekit.http.caching import make_etag, set_cache_headers
from servicekit.http.documentation import name_operation
from servicekit.http.errors import problems
from servicekit.http.pagination import PageLimit, cut_page, link_next
from servicekit.http.response_headers import WITH_ETAG, describe_headers
from servicekit.problems import Forbidden, Invalid, NotFound, Unauthorized, Unavailable
from words import queries
from words.dependencies import AfterInQuery, PrefixInQuery, WordInPath, WordsDatabase
from words.models import KnownWord, Lookup, NewLookup, WordPage

router = APIRouter(tags=["words"], generate_unique_id_function=name_operation)


@router.get(
    "/",
    summary="List words",
    responses=problems(Invalid, Unavailable) | {200: {"headers": describe_headers("Link")}},
)
async def list_words(
    words: WordsDatabase,
    request: Request,
    response: Response,
    prefix: PrefixInQuery = "",
    limit: PageLimit = 100,
    after: AfterInQuery = None,
) -> WordPage:
    """A page in alphabetical order. The header `Link` names the next page, and is missing on the last one."""
    rows = await queries.list_words(words, prefix=prefix, after=after or "", limit=limit + 1)
    page, more = cut_page(rows, limit)
    if more:
        link_next(request, response, {"prefix": prefix or None, "limit": limit, "after": page[-1]})
    return WordPage(words=page)


@router.post("/lookups", summary="Which of these words may be guessed?", responses=problems(Invalid, Unavailable))
async def look_up_words(new: NewLookup, words: WordsDatabase) -> Lookup:
    """Up to a hundred at once, and in the body: a guess in a URL would stand in the access log."""
    return Lookup(known=await queries.find_words(words, wanted=new.words))


@router.get(
    "/{word}", summary="May this word be guessed?", responses=problems(NotFound, Invalid, Unavailable) | WITH_ETAG
)
async def read_word(word: WordInPath, words: WordsDatabase, request: Request, response: Response) -> KnownWord:
    """200 if it may be guessed, 404 if not. Caches ask again each time, since a word may be removed."""
    if not await queries.has_word(words, word=word):
        raise NotFound(f"The dictionary has no word {word}.")
    set_cache_headers(request, response, etag=make_etag(word))
    return KnownWord(word=word)


@router.put(
    "/{word}",
    summary="Add a word",
    status_code=status.HTTP_201_CREATED,
    dependencies=[Security(get_caller, scopes=[Scope.ADMIN])],
    responses=problems(Unauthorized, Forbidden, Invalid, Unavailable)
    | {200: {"model": KnownWord, "description": "The word was there already"}},
)
async def add_word(word: WordInPath, words: WordsDatabase, response: Response) -> KnownWord:
    """From now on it may be guessed. Safe to send again: 201 the first time, then 200."""
    is_new = await words.write(partial(queries.insert_word, word=word), lock=NO_LOCK)
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    return KnownWord(word=word)


@router.delete(
    "/{word}",
    summary="Remove a word",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[Security(get_caller, scopes=[Scope.ADMIN])],
    responses=problems(Unauthorized, Forbidden, NotFound, Invalid, Unavailable),
)
async def remove_word(word: WordInPath, words: WordsDatabase) -> None:
    """From now on it may not be guessed, unless it is a candidate for answers. 404 if it was not there."""
    if not await words.write(partial(queries.delete_word, word=word), lock=NO_LOCK):
        raise NotFound(f"The dictionary has no word {word}.")
