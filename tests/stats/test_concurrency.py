"""Concurrent clients of several instances on the same databases, as behind Traefik."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise, zip_longest
from uuid import UUID

import httpx
import pytest

from stats.app import create_app
from stats.settings import Settings
from tests.support.results import add_user, count_distribution, count_statistics, finish, read_everything, write_body
from tests.support.stored import StoredPlayers

pytestmark = [pytest.mark.anyio, pytest.mark.both_engines]


@pytest.fixture
async def instances(
    stats_settings: Settings, service_headers: dict[str, str], anyio_backend: str
) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients of three instances of stats."""
    settings = stats_settings.model_copy(update={"busy_timeout_ms": 30_000})
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(3):
            app = create_app(settings)
            await stack.enter_async_context(app.router.lifespan_context(app))
            transport = httpx.ASGITransport(app)
            client = httpx.AsyncClient(transport=transport, base_url="http://stats", headers=service_headers)
            clients.append(await stack.enter_async_context(client))
        yield clients


@pytest.fixture
def user_id(stored_players: StoredPlayers) -> UUID:
    return add_user(stored_players)


async def test_concurrent_posts_of_one_result_store_it_once(
    instances: list[httpx.AsyncClient], user_id: UUID, stored_players: StoredPlayers
) -> None:
    body = write_body(1, finish(1))
    posts = (instances[number % 3].post(f"/users/{user_id}/games", json=body) for number in range(100))
    responses = await asyncio.gather(*posts)
    assert Counter(response.status_code for response in responses) == {201: 1, 200: 99}
    assert {response.text for response in responses} == {responses[0].text}
    assert (await instances[0].get(f"/users/{user_id}")).json() == count_statistics([finish(1)])
    assert (await instances[1].get("/games/1")).json() == count_distribution(1, [finish(1)])


async def test_concurrent_conflicting_results_store_only_the_first(
    instances: list[httpx.AsyncClient], user_id: UUID
) -> None:
    games = [finish(number % 10, guesses=number % 6 + 1, won=number % 4 > 0) for number in range(100)]
    posts = (
        instances[number % 3].post(f"/users/{user_id}/games", json=write_body(1, game))
        for number, game in enumerate(games)
    )
    responses = await asyncio.gather(*posts)
    (accepted,) = [game for game, response in zip(games, responses, strict=True) if response.status_code == 201]
    for game, response in zip(games, responses, strict=True):
        assert response.status_code in ({201, 200} if game == accepted else {409})
    assert (await instances[1].get(f"/users/{user_id}")).json() == count_statistics([accepted])
    assert (await instances[2].get("/games/1")).json() == count_distribution(1, [accepted])


async def test_concurrent_writes_at_all_instances_lose_no_result(
    instances: list[httpx.AsyncClient], stored_players: StoredPlayers
) -> None:
    rng = random.Random(100)  # noqa: S311 - the same games in every run
    users = [add_user(stored_players) for _ in range(5)]
    games = {
        user_id: [finish(rng.randrange(15), won=rng.random() < 0.8, guesses=rng.randint(1, 6)) for _ in range(40)]
        for user_id in users
    }
    posts = [
        (f"/users/{user_id}/games", write_body(game_id, game))
        for user_id in users
        for game_id, game in enumerate(games[user_id])
    ]
    rng.shuffle(posts)
    responses = await asyncio.gather(
        *(instances[number % 3].post(path, json=body) for number, (path, body) in enumerate(posts))
    )
    assert Counter(response.status_code for response in responses) == {201: 200}
    for user_id in users:
        response = await rng.choice(instances).get(f"/users/{user_id}")
        assert response.json() == count_statistics(games[user_id])
    for game_id in range(40):
        response = await rng.choice(instances).get(f"/games/{game_id}")
        assert response.json() == count_distribution(game_id, [games[user_id][game_id] for user_id in users])
    assert sum(len(rows) for rows in read_everything(stored_players)[::2]) == 200


async def test_acknowledged_result_is_visible_at_other_instances(
    instances: list[httpx.AsyncClient], user_id: UUID
) -> None:
    games = []
    for number in range(30):
        games.append(finish(number % 7, won=number % 3 > 0))
        writer, reader = instances[number % 3], instances[(number + 1) % 3]
        await writer.post(f"/users/{user_id}/games", json=write_body(number, games[-1]))
        assert (await reader.get(f"/users/{user_id}")).json() == count_statistics(games)


async def test_cancelled_post_stores_the_whole_result_or_nothing(
    instances: list[httpx.AsyncClient], user_id: UUID
) -> None:
    rng = random.Random(4)  # noqa: S311 - moments, not secrets
    for game_id in range(100):
        post = instances[0].post(f"/users/{user_id}/games", json=write_body(game_id, finish(game_id % 9)))
        task = asyncio.create_task(post)
        for _ in range(rng.randrange(40)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    stored = [game_id for game_id in range(100) if await is_stored(instances[1], user_id, game_id)]
    statistics = (await instances[2].get(f"/users/{user_id}")).json()
    assert statistics == count_statistics([finish(game_id % 9) for game_id in stored])
    counted = [game_id for game_id in range(100) if (await instances[2].get(f"/games/{game_id}")).json()["played"] == 1]
    assert counted == stored
    assert (await instances[0].post(f"/users/{user_id}/games", json=write_body(100, finish(0)))).status_code == 201


async def is_stored(client: httpx.AsyncClient, user_id: UUID, game_id: int) -> bool:
    return (await client.get(f"/users/{user_id}/games/{game_id}")).status_code == 200


async def test_pages_are_consistent_during_concurrent_writes(
    instances: list[httpx.AsyncClient], stored_players: StoredPlayers
) -> None:
    users = [add_user(stored_players) for _ in range(20)]
    for user_id in users:
        await instances[0].post(f"/users/{user_id}/games", json=write_body(0, finish(0)))
    rounds = [(user_id, write_body(day, finish(day, won=day % 3 > 0))) for day in range(1, 8) for user_id in users]
    posts = [
        instances[number % 3].post(f"/users/{user_id}/games", json=body)
        for number, (user_id, body) in enumerate(rounds)
    ]
    queries = [f"{name}={user_id}&limit=7" for user_id in users for name in ("around", "after")] * 3
    reads = [
        instances[number % 3].get(f"/leaders/{'streaks' if number % 2 else 'wins'}?{query}")
        for number, query in enumerate(queries)
    ]
    responses = await asyncio.gather(*(request for pair in zip_longest(posts, reads) for request in pair if request))
    assert {response.status_code for response in responses} == {200, 201}
    for response in responses:
        if response.status_code == 200:
            assert response.json()["players"] == 20
            check_rows(response, "streak" if "streaks" in response.request.url.path else "wins")
    for board in ("wins", "streaks"):
        order = sorted(str(user_id) for user_id in users)  # all have played and won alike
        for index, after_id in enumerate(order):
            response = await instances[index % 3].get(f"/leaders/{board}?after={after_id}&limit=100")
            rows = [(leader["rank"], leader["user_id"]) for leader in response.json()["leaders"]]
            assert rows == [(1, user_id) for user_id in order[index + 1 :]]


def check_rows(response: httpx.Response, score: str) -> None:
    """Checks that a page is consistent: rows in descending order, equal scores share a rank, no rank is better than the
    page's own rows allow or greater than the number of players, no player appears twice, and a page around a player
    includes that player."""
    leaders, players = response.json().values()
    for better, worse in pairwise(leaders):
        assert better[score] >= worse[score]
        assert (better["rank"] == worse["rank"]) == (better[score] == worse[score])
    for leader in leaders:
        assert sum(other[score] > leader[score] for other in leaders) < leader["rank"] <= players
    names = [leader["user_id"] for leader in leaders]
    assert len(set(names)) == len(names)
    query = response.request.url.params
    assert query.get("around") is None or query["around"] in names
    assert query.get("after") not in names
