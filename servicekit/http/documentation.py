"""Swagger UI (FastAPI's page loads its files from a CDN), the OpenAPI document, and a page of each type of problem."""

import gzip
import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from importlib.resources import files

from fastapi import APIRouter, HTTPException, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, JSONResponse, Response

from servicekit.http.caching import NotModified, is_not_modified
from servicekit.problems import Problem

PROBLEM_PAGE = """<!doctype html>
<html lang="en">
<title>{name}</title>
<h1>{name}</h1>
<p>{status}: {kind.description}.</p>
<p>{kind.advice}</p>
</html>
"""
"""Its texts are those of the problem's class."""
SWAGGER_FILES = {
    "swagger-ui-bundle.js": "application/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
"""Of the package fastapi-swagger, with their media types."""
SWAGGER_PARAMETERS = {
    "tryItOutEnabled": True,
    "persistAuthorization": True,
    "filter": True,
    "displayRequestDuration": True,
}
ZERO_WEIGHT = re.compile(r"q=0(\.0{0,3})?")
KEPT_FOR_A_DAY = {"Cache-Control": "public, max-age=86400", "Vary": "Accept-Encoding"}


@lru_cache
def read_swagger_resource(name: str, *, is_compressed: bool) -> tuple[bytes, str]:
    """Content and ETag. 1.7 MB of scripts are 0.5 MB compressed, which takes 50 ms once."""
    content = files("fastapi_swagger.resources").joinpath(name).read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:16]
    return (gzip.compress(content), f'"{digest}-gzip"') if is_compressed else (content, f'"{digest}"')


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether it names gzip, or any coding by `*`, with a weight that is not 0 (RFC 9110)."""
    weights = {}
    for entry in accept_encoding.lower().split(","):
        coding, _, weight = entry.partition(";")
        weights[coding.strip()] = weight.strip()
    weight = weights.get("gzip", weights.get("*", "q=0"))
    return ZERO_WEIGHT.fullmatch(weight) is None


def name_operation(route: APIRoute) -> str:
    """The operation id of an endpoint: the name of its function, as a generated client calls it."""
    return route.name


def documentation_router(title: str, problem_types: Sequence[type[Problem]]) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/openapi.json")
    async def read_openapi(request: Request) -> Response:
        return JSONResponse(request.app.openapi())

    @router.get("/docs")
    async def read_swagger_page(request: Request) -> HTMLResponse:
        root_path: str = request.scope["root_path"]
        return get_swagger_ui_html(
            openapi_url=f"{root_path}/openapi.json",
            title=f"{title} - Swagger UI",
            swagger_js_url=f"{root_path}/swagger/swagger-ui-bundle.js",
            swagger_css_url=f"{root_path}/swagger/swagger-ui.css",
            swagger_favicon_url=f"{root_path}/swagger/favicon-32x32.png",
            swagger_ui_parameters=SWAGGER_PARAMETERS,
        )

    @router.get("/swagger/{name}")
    async def read_swagger_file(name: str, request: Request) -> Response:
        if name not in SWAGGER_FILES:
            raise HTTPException(404)
        is_compressed = accepts_gzip(",".join(request.headers.getlist("Accept-Encoding")))
        content, etag = read_swagger_resource(name, is_compressed=is_compressed)
        headers = KEPT_FOR_A_DAY | {"ETag": etag}
        if is_not_modified(request, etag):
            raise NotModified(headers)
        return Response(
            content,
            headers=headers | ({"Content-Encoding": "gzip"} if is_compressed else {}),
            media_type=SWAGGER_FILES[name],
        )

    @router.get("/problems/{name}")
    async def read_problem_page(name: str) -> HTMLResponse:
        kind = next((kind for kind in problem_types if kind.type_uri.endswith(f"/{name}")), None)
        if kind is None:
            raise HTTPException(404)
        status = HTTPStatus(kind.status)
        return HTMLResponse(PROBLEM_PAGE.format(name=name, kind=kind, status=f"{status.value} {status.phrase}"))

    return router
