"""What browsers open, all of it under /site: Traefik puts that before every path outside of /api, so that no page
shares a path with the health checks that every service has."""

from fastapi import APIRouter, Request, Response, status

from servicekit.http.caching import set_cache_headers
from web.dependencies import CurrentSite
from web.site import SUITE_PAGE, File, Site

router = APIRouter(prefix="/site", include_in_schema=False)

KEEP_FOR_A_YEAR = "public, max-age=31536000, immutable"
"""As long as a cache may, and without asking again."""


def answer_file(request: Request, file: File) -> Response:
    """A cache has to ask each time. Raises NotModified if it has the file."""
    response = Response(file.content, media_type=file.media_type)
    set_cache_headers(request, response, etag=file.etag)
    return response


def answer_not_found(site: Site) -> Response:
    page = site.pages["not-found"]
    return Response(page.content, status.HTTP_404_NOT_FOUND, media_type=page.media_type)


@router.get("/")
async def read_index(site: CurrentSite, request: Request) -> Response:
    """The page to play on."""
    return answer_file(request, site.pages["index"])


@router.get("/practice")
@router.get("/yesterday")
async def read_other_puzzle(site: CurrentSite, request: Request) -> Response:
    """The same page: it reads in its address which puzzle to play."""
    return answer_file(request, site.pages["index"])


@router.get("/suite")
async def read_suite(site: CurrentSite, request: Request) -> Response:
    """The suite at work; 404 where the setting WEB_SUITE leaves it out."""
    if SUITE_PAGE not in site.pages:
        return answer_not_found(site)
    return answer_file(request, site.pages[SUITE_PAGE])


@router.get("/static/{site_hash}/{name}")
async def read_static(site_hash: str, name: str, site: CurrentSite, request: Request) -> Response:
    """A file that pages load. With an unknown hash it is the current one, which the browser may not keep: while the
    instance is replaced, the page may come from one version and ask the other."""
    if name not in site.static:
        return answer_not_found(site)
    file = site.static[name]
    if site_hash != site.hash:
        return answer_file(request, file)
    # without an ETag: no cache has to ask again
    return Response(file.content, media_type=file.media_type, headers={"Cache-Control": KEEP_FOR_A_YEAR})


@router.get("/{path:path}")
async def read_unknown(site: CurrentSite) -> Response:
    return answer_not_found(site)
