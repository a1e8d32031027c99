"""A registration that comes again, since its answer was lost, is the same registration."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from tests.support.accounts import PASSWORD, At
from tests.support.clocks import SteppedClock
from users.accounts.registration import REPEATED_WITHIN
from users.logins.limits import BY_NAME_AND_ADDRESS

pytestmark = pytest.mark.both_engines

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"
ADA = {"username": "ada", "password": PASSWORD}


def test_repeated_registration_is_200_with_the_same_player(client: TestClient) -> None:
    first = client.post("/", json=ADA)
    again = client.post("/", json=ADA)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert len(client.get("/").json()["users"]) == 2  # with the player of the fixture


def test_equal_registrations_at_once_make_one_player(client: TestClient) -> None:
    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda _: client.post("/", json=ADA), range(4)))
    statuses = sorted(response.status_code for response in responses)
    assert statuses == [200, 200, 200, 201]
    assert len({response.json()["user_id"] for response in responses}) == 1


def test_same_registration_from_elsewhere_is_409(at: At) -> None:
    assert at(HOME).post("/", json=ADA).status_code == 201
    assert at(ELSEWHERE).post("/", json=ADA).status_code == 409


def test_same_registration_is_409_after_a_minute(client: TestClient, clock: SteppedClock) -> None:
    client.post("/", json=ADA)
    clock.now += REPEATED_WITHIN - timedelta(seconds=1)
    assert client.post("/", json=ADA).status_code == 200  # counts as a log-in
    clock.now += REPEATED_WITHIN
    assert client.post("/", json=ADA).status_code == 409


def test_passwords_tried_by_registering_count_as_failed_log_ins(client: TestClient) -> None:
    client.post("/", json=ADA)
    for number in range(BY_NAME_AND_ADDRESS.failures):
        wrong = client.post("/", json=ADA | {"password": f"a wrong password {number}"})
        assert wrong.status_code == 409
    assert client.post("/", json=ADA).status_code == 409  # although the password is right
    assert client.post("/token", data=ADA).status_code == 429
