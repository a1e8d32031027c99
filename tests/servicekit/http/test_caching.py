"""Cache-Control on every response, and If-None-Match at Swagger's files."""

import pytest
from starlette.testclient import TestClient

FILE = "/swagger/swagger-ui.css"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/total", "no-cache"),
        ("/health", "no-cache"),
        ("/docs", "no-cache"),
        ("/openapi.json", "no-cache"),
        ("/nothing", "no-store"),
        ("/errors/404", "no-store"),
        ("/errors/1", "no-store"),
        (FILE, "public, max-age=86400"),
    ],
)
def test_every_response_has_one_cache_control(client: TestClient, path: str, expected: str) -> None:
    assert client.get(path).headers.get_list("Cache-Control") == [expected]


@pytest.mark.parametrize("known", ["{}", "W/{}", '"other", {}', 'W/"other" ,W/{}', "*", " * "])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_known_version_is_304_with_the_same_headers(client: TestClient, method: str, known: str, coding: str) -> None:
    kept = client.get(FILE, headers={"Accept-Encoding": coding})
    headers = {"Accept-Encoding": coding, "If-None-Match": known.format(kept.headers["ETag"])}
    response = client.request(method, FILE, headers=headers)
    assert (response.status_code, response.content) == (304, b"")
    for name in ("ETag", "Cache-Control", "Vary"):
        assert response.headers[name] == kept.headers[name]
    assert "Content-Type" not in response.headers


@pytest.mark.parametrize("known", ["", "other", '"other"', 'W/"other"', '"*"', "*, *", '"', "{}x", '"x{}'])
def test_other_version_is_200_with_the_body(client: TestClient, known: str) -> None:
    digest = client.get(FILE).headers["ETag"].strip('"')
    response = client.get(FILE, headers={"If-None-Match": known.format(digest)})
    assert response.status_code == 200
    assert response.content


def test_second_line_of_if_none_match_counts(client: TestClient) -> None:
    etag = client.get(FILE).headers["ETag"]
    response = client.get(FILE, headers=[("If-None-Match", '"other"'), ("If-None-Match", etag)])
    assert response.status_code == 304


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("br, gzip ; q=0.001", "gzip"),
        ("*", "gzip"),
        ("gzip, *;q=0", "gzip"),
        ("", None),
        ("identity", None),
        ("xgzip", None),
        ("gzip;q=0", None),
        ("gzip; q=0.000, br", None),
        ("gzip;q=0, *", None),
        ("*;q=0", None),
    ],
)
def test_swagger_files_are_compressed_only_if_accepted(client: TestClient, accepted: str, coding: str | None) -> None:
    assert client.get(FILE, headers={"Accept-Encoding": accepted}).headers.get("Content-Encoding") == coding


def test_codings_have_different_etags(client: TestClient) -> None:
    etags = {client.get(FILE, headers={"Accept-Encoding": coding}).headers["ETag"] for coding in ("gzip", "identity")}
    assert len(etags) == 2
