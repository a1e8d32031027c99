import json
import re
from collections import Counter
from uuid import UUID

import pytest

from tests.support.bench import SAMPLE
from tools.bench.workload import BARE, BARE_POST, ENDPOINTS, GUESSES, Endpoint

REQUEST = re.compile(r"(GET|POST) (/api/\S+) (\S+) (.*)")
"""As the script of tools/bench/wrk.py parses them."""

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_every_request_can_be_sent_by_the_script(endpoint: Endpoint) -> None:
    for request in endpoint.write_requests(SAMPLE, 0):
        found = REQUEST.fullmatch(request)
        assert found is not None
        assert (found[1] == "POST") == bool(found[4])
        if found[4]:
            json.loads(found[4])


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_each_endpoint_is_compared_with_its_methods_bare_one(endpoint: Endpoint) -> None:
    is_post = endpoint.write_requests(SAMPLE, 0)[0].startswith("POST")
    assert endpoint.reference == (BARE_POST if is_post else BARE)
    assert not (is_post and endpoint.is_read)


def test_new_results_are_distinct_and_few_are_posted_again() -> None:
    new = [request for run in range(3) for request in BY_NAME["posting a result"].write_requests(SAMPLE, run)]
    assert len(set(new)) == len(new)
    again = [BY_NAME["posting it again"].write_requests(SAMPLE, run) for run in range(3)]
    assert again[0] == again[1] == again[2]
    assert set(again[0]) <= set(new)


def test_each_player_makes_each_guess_once_and_in_order() -> None:
    runs = [BY_NAME["a guess of a play"].write_requests(SAMPLE, run) for run in range(3)]
    requests = [request for run in runs for request in run]
    assert len(set(requests)) == len(requests) == 600 * len(GUESSES)
    attempts: Counter[str] = Counter()
    for request in requests:
        _, path, token, body = request.split(" ", 3)
        player = UUID(path.split("/")[-2])
        assert token == f"player{player.int}"
        attempts[token] += 1
        assert json.loads(body) == {"attempt": attempts[token], "guess": GUESSES[attempts[token] - 1]}
