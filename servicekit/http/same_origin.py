"""Refuses requests that a page of another origin made a browser send (CSRF).

    @router.post("/session", dependencies=[SAME_ORIGIN])

`SameSite` keeps a cookie from the pages of other sites, but a site has no port: http://127.0.0.1:8000 is of the same
site as http://127.0.0.1:9999. So what goes by a cookie also requires that the browser names our own origin.
"""

from fastapi import Depends, Request
from starlette.datastructures import Headers

from servicekit.http.media_types import JSON, read_media_type
from servicekit.problems import CrossOrigin, UnsupportedMediaType

SAFE_METHODS = {"GET", "HEAD"}


def read_own_origin(request: Request) -> str:
    """The origin of this request's URL as the browser knows it, `https://play.example`.

    The scheme is the one that Traefik forwards; uvicorn believes no other address. `app.state.is_behind_tls` says that
    a proxy in front of Traefik ends TLS, so that the scheme is https whatever Traefik sees.
    """
    is_secure = request.url.scheme == "https" or request.app.state.is_behind_tls
    return f"{'https' if is_secure else 'http'}://{request.headers.get('Host', '')}"


def is_same_origin(headers: Headers, own_origin: str, *, is_safe: bool) -> bool:
    """Whether a browser says that a page of our own origin sends the request.

    Browsers send `Sec-Fetch-Site` to https and to the local machine only; `Origin` they send with every method but GET
    and HEAD. So a request with neither passes only if `is_safe`: it changes nothing, and no other origin's page can
    read the answer.
    """
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None:
        return site == "same-origin"
    return is_safe if origin is None else origin == own_origin


async def require_same_origin(request: Request) -> None:
    """Raises CrossOrigin."""
    own_origin = read_own_origin(request)
    if not is_same_origin(request.headers, own_origin, is_safe=request.method in SAFE_METHODS):
        raise CrossOrigin(f"Only pages of {own_origin} may send this, with Sec-Fetch-Site: same-origin or that Origin.")


async def require_json(request: Request) -> None:
    """For a POST without a body: a form of another origin cannot send this type. Raises UnsupportedMediaType."""
    if read_media_type(request.headers.get("Content-Type", "")) != JSON:
        raise UnsupportedMediaType(f"Send this with Content-Type: {JSON}.", accepted=JSON)


SAME_ORIGIN = Depends(require_same_origin)
JSON_ONLY = Depends(require_json)
