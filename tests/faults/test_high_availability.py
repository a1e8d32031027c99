"""A PostgreSQL server that Patroni keeps available, under load: what is lost when a machine fails, and how long writes
are refused.

A write here is a posted result or a guess of a whole game.
"""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeAlias

import httpx
import pytest

from servicekit.auth.tokens import Scope
from tests.support.fault_checks import assert_nothing_lost
from tests.support.fault_project import Figures, make_project
from tests.support.live import RUNNER, UNLIMITED, list_players_with_results, require_runner, token_headers
from tests.support.load import Answer, Load, load_until_end
from tests.support.patroni import Cluster, is_installed, running_cluster
from tests.support.polling import wait_until
from tests.support.stored import SUITE, list_urls, make_database
from tools.process.stack import Stack, running_stack

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not is_installed(), reason="needs Patroni and etcd (Debian: patroni, etcd-server)"),
]
LONGEST_PAUSE_S = 30
WRITES = 50
"""That must succeed one after the other at the end."""
RESUMED = 20
"""Acknowledged writes of each kind after which they have resumed."""
RESUME_TIMEOUT_S = 90
KINDS = ("stats/", "games/")
"""Of writes: the beginnings of the URLs of results and of guesses."""
EXPECTED_STATUSES = {200, 201, 503, 504}
"""504: Traefik's, where a service is too slow. Never 500."""
Fault: TypeAlias = Callable[[Cluster, Load], None]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as running:
        yield running


@pytest.fixture(scope="module")
def stack(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    require_runner(RUNNER)
    databases = {name: make_database(cluster, name) for name in SUITE}
    root = make_project(tmp_path_factory.mktemp("replicated"), settings=list_urls(databases))
    with running_stack(root, runner=RUNNER, environment=UNLIMITED) as running:
        yield running


def list_writes(load: Load, prefix: str) -> list[Answer]:
    return [answer for answer in list(load.answers) if answer.method == "POST" and answer.url.startswith(prefix)]


def list_acknowledged(load: Load, prefix: str) -> list[Answer]:
    return [answer for answer in list_writes(load, prefix) if answer.is_good]


def wait_for_writes(load: Load) -> None:
    """Waits until results and guesses that were sent from now on have been acknowledged."""
    now = time.monotonic()

    def are_stored() -> bool:
        return all(
            sum(answer.began_at > now for answer in list_acknowledged(load, prefix)) >= RESUMED for prefix in KINDS
        )

    wait_until(are_stored, timeout_s=RESUME_TIMEOUT_S)


def kill_leader(cluster: Cluster, load: Load) -> None:
    leader = cluster.find_leader()
    leader.kill()
    wait_for_writes(load)
    leader.start()


def freeze_leader(cluster: Cluster, load: Load) -> None:
    leader = cluster.find_leader()
    leader.freeze()
    wait_for_writes(load)
    leader.thaw()


def switch_over(cluster: Cluster, load: Load) -> None:
    cluster.switch_over()
    wait_for_writes(load)


def freeze_standby(cluster: Cluster, load: Load) -> None:
    standby = cluster.wait_for_synchronous_standby()
    standby.freeze()
    wait_for_writes(load)
    cluster.wait_for_synchronous_standby(other_than=standby)  # writes resume two seconds before etcd has it
    standby.thaw()


def find_longest_pause(load: Load, since: float, until: float) -> float:
    """Seconds without an acknowledgement of a result, or of a guess, whichever is longer."""
    pauses = []
    for prefix in KINDS:
        times = [answer.ended_at for answer in list_acknowledged(load, prefix)]
        within = [since, *sorted(moment for moment in times if since < moment < until), until]
        pauses.append(max(after - before for before, after in itertools.pairwise(within)))
    return max(pauses)


def assert_all_writes_succeed(stack: Stack) -> None:
    headers = token_headers(stack, Scope.SERVICE)
    players = list_players_with_results(stack)[:WRITES]
    with httpx.Client(base_url=f"{stack.url}/api/stats/", headers=headers, timeout=20) as client:
        for game_id, player in enumerate(players, start=time.time_ns() // 10**9):
            body = {"game_id": game_id, "guesses": 4, "won": True}
            assert client.post(f"users/{player}/games", json=body).status_code == 201


@pytest.mark.parametrize(
    "faults",
    [
        [kill_leader],
        [freeze_leader],
        [switch_over],
        [freeze_standby, kill_leader],  # what has been acknowledged since the first must be on the other standby
    ],
    ids=lambda faults: faults[0].__name__,
)
def test_no_acknowledged_write_is_lost(faults: list[Fault], cluster: Cluster, stack: Stack, figures: Figures) -> None:
    cluster.wait_until_complete()
    times = []
    with load_until_end(stack) as load:
        for fault in faults:
            times.append(time.monotonic())
            fault(cluster, load)
        cluster.wait_until_complete()
        wait_for_writes(load)
        times.append(time.monotonic())
    assert_all_writes_succeed(stack)
    assert cluster.count_open_transactions() == 0
    assert_nothing_lost(stack, load)
    pauses = [find_longest_pause(load, *between) for between in itertools.pairwise(times)]
    figures(describe(faults, pauses, load))
    assert max(pauses) <= LONGEST_PAUSE_S
    assert {answer.status for answer in load.answers} <= EXPECTED_STATUSES


def describe(faults: list[Fault], pauses: list[float], load: Load) -> str:
    statuses = Counter(answer.status for prefix in KINDS for answer in list_writes(load, prefix))
    steps = [
        f"{fault.__name__.replace('_', ' ')}, {pause:.1f} s without writes"
        for fault, pause in zip(faults, pauses, strict=True)
    ]
    return (
        f"{'; '.join(steps)}: {len(load.posted):,} results and {len(load.played):,} games were acknowledged, none lost"
        f" or doubled; statuses of writes {dict(statuses.most_common())}"
    )
