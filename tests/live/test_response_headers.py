"""What Traefik leaves alone of the headers of responses."""

import re

import httpx
import pytest

from tests.support.live import list_players_with_results
from tools.process.stack import Stack


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


def test_traefik_passes_server_timing_on(stack: Stack, api: httpx.Client) -> None:
    around = {"around": str(list_players_with_results(stack)[0])}  # never cached, as the top is
    metrics = api.get("stats/leaders/wins", params=around).headers["Server-Timing"].split(", ")
    assert re.fullmatch(r'total;dur=\d+\.\d\d;desc="stats\.\d"', metrics[0])
    assert {"users", "games0", "games1", "games2"} == {metric.partition(";")[0] for metric in metrics[1:]}
    assert "Server-Timing" not in api.get("stats/health").headers
