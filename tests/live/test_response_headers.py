"""What Traefik leaves alone of the headers of responses."""

import httpx
import pytest


@pytest.mark.parametrize("path", ["words/crane", "games/0", "games/today", "words/swagger/swagger-ui.css"])
def test_traefik_passes_etags_and_304_on(api: httpx.Client, path: str) -> None:
    kept = api.get(path).raise_for_status()
    for known in (kept.headers["ETag"], f"W/{kept.headers['ETag']}", f'"x", {kept.headers["ETag"]}', "*"):
        for method in ("GET", "HEAD"):
            response = api.request(method, path, headers={"If-None-Match": known})
            assert (response.status_code, response.content) == (304, b"")
            assert response.headers["ETag"] == kept.headers["ETag"]
            assert response.headers.get_list("Cache-Control") == [kept.headers["Cache-Control"]]
    assert api.get(path, headers={"If-None-Match": '"x"'}).content == kept.content
