from starlette.testclient import TestClient


def test_openapi_document_lists_every_endpoint(stats_client: TestClient) -> None:
    assert set(stats_client.get("/openapi.json").json()["paths"]) == {
        "/health",
        "/live",
        "/leaders/wins",
        "/leaders/streaks",
        "/games/{game_id}",
        "/users/{user_id}",
        "/users/{user_id}/games",
        "/users/{user_id}/games/{game_id}",
        "/shards",
    }
