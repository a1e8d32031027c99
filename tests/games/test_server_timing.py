"""Server-Timing of games: what words and stats say is in it, for each of the requests that share a lookup."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from games.clients.words_client import WordsClient
from servicekit.observability.server_timing import ServerTiming, server_timing
from servicekit.problems import Unavailable
from tests.support.game_services import make_words_app
from tests.support.players import ANSWER, NO_CANDIDATE, WRONG, Player
from tests.support.servers import find_free_port, serving


def list_names(header: str) -> list[str]:
    return re.findall(r"(?:^|, )([\w.]+);", header)


def test_guess_shows_databases_and_the_words_service(player: Player) -> None:
    player.begin()
    header = player.guess(1, NO_CANDIDATE).headers["Server-Timing"]
    assert list_names(header) == ["total", "answers", "plays", "words", "words.total", "words.words"]
    times = {name: float(ms) for name, ms in re.findall(r"([\w.]+);dur=([\d.]+)", header)}
    assert times["total"] >= times["words"] >= times["words.total"] >= times["words.words"]


def test_last_guess_shows_each_request_to_stats(player: Player) -> None:
    player.begin()
    names = list_names(player.guess(1, ANSWER).headers["Server-Timing"])
    assert names.count("stats") == 3  # the result is posted, then the statistics and the distribution are read
    assert names.count("stats.total") == 3
    assert any(re.fullmatch(r"stats\.games\d", name) for name in names)


def test_service_that_does_not_answer_has_its_time(make_client: Callable[..., TestClient]) -> None:
    with make_client(words_url=f"http://127.0.0.1:{find_free_port()}") as client:
        response = client.put("/1990/answer", json={"answer": NO_CANDIDATE})
    assert response.status_code == 503
    assert list_names(response.headers["Server-Timing"]) == ["total", "answers", "words"]


@pytest.mark.anyio
async def test_each_request_of_a_shared_lookup_has_the_lookup_once(tmp_path: Path) -> None:
    async def guess(word: str) -> str:
        server_timing.set(ServerTiming())
        await dictionary.has(word)
        return server_timing.get().format_header("games.1", 0)

    with serving(make_words_app(tmp_path / "words.db")) as url:
        async with WordsClient(url, timeout_s=10) as dictionary:
            headers = await asyncio.gather(*(guess(word) for word in WRONG))
    assert [list_names(header) for header in headers] == [["total", "words", "words.total", "words.words"]] * len(WRONG)


@pytest.mark.anyio
async def test_failed_lookup_is_measured_for_its_request() -> None:
    timing = ServerTiming()
    server_timing.set(timing)
    async with WordsClient(f"http://127.0.0.1:{find_free_port()}", timeout_s=10) as dictionary:
        with pytest.raises(Unavailable):
            await dictionary.has("crane")
    assert list_names(timing.format_header("games.1", 0)) == ["total", "words"]
