"""How the page is served through Traefik: policy, caching, compression, and paths that do not exist."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.support.problem_checks import assert_problem
from tools.process.stack import Stack

PAGES = ("/", "/suite")


@pytest.fixture
def site(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=10) as client:
        yield client


@pytest.mark.parametrize("path", [*PAGES, "/nowhere"])
def test_page_has_the_strict_policy_and_no_other(site: httpx.Client, path: str) -> None:
    headers = site.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Served-By"] == "web.1"


@pytest.mark.parametrize("path", PAGES)
def test_page_is_compressed_and_revalidated(site: httpx.Client, path: str) -> None:
    response = site.get(path, headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Cache-Control"] == "no-cache"
    again = site.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", PAGES)
def test_every_file_of_a_page_is_there_and_kept(site: httpx.Client, path: str) -> None:
    urls = re.findall(r'(?:href|src)="(/static/[^"]+)"', site.get(path).text)
    assert len(urls) >= 4
    for url in urls:
        response = site.get(url)
        assert response.status_code == 200, url
        assert "immutable" in response.headers["Cache-Control"]


def test_answers_with_tokens_are_not_compressed(site: httpx.Client) -> None:
    response = site.get("/api/words", params={"limit": 1000}, headers={"Accept-Encoding": "gzip"})
    assert len(response.content) > 2000
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize("path", ["/nowhere", "/docs", "/health", "/metrics", "/openapi.json", "/site/", "/apis"])
def test_unknown_page_is_a_page(site: httpx.Client, path: str) -> None:
    response = site.get(path)
    assert response.status_code == 404
    assert "There is no such page" in response.text


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nowhere", "/api/web/nowhere"])
def test_unknown_path_of_the_api_is_problem_details(site: httpx.Client, path: str) -> None:
    assert assert_problem(site.get(path), 404) == "There is nothing at this path."


def test_page_takes_no_other_method(site: httpx.Client) -> None:
    assert_problem(site.post("/", json={}), 405)
    assert site.head("/").headers["Content-Type"] == "text/html; charset=utf-8"
