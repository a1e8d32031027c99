"""Databases that are locked, missing, unreadable or on a full disk: only requests that need them get 503."""

import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from servicekit.db.sharding import shard_number
from tests.support.fault_checks import assert_nothing_lost, read_problem
from tests.support.fault_project import Figures
from tests.support.live import find_instance
from tests.support.load import Answer, Load, under_load, wait_for_answers
from tools.process.stack import Stack

LOCKED_S = 10.0
OUTAGE_S = 1.0
SHARD = 1
"""The shard with the fault."""


def needs_shard(answer: Answer) -> bool:
    """Whether it is about a player of SHARD."""
    parts = answer.url.split("/")
    return parts[:2] == ["stats", "users"] and shard_number(UUID(parts[2]), 3) == SHARD


def needs_all_shards(answer: Answer) -> bool:
    """Leaderboards need all shards, and users.db for the names."""
    return "leaders" in answer.url


def needs_users(answer: Answer) -> bool:
    return answer.url.startswith("users")


def is_result(answer: Answer) -> bool:
    return answer.method == "POST" and answer.url.startswith("stats/")


def is_guess(answer: Answer) -> bool:
    return answer.url.endswith("/guesses")


def is_start(answer: Answer) -> bool:
    return answer.method == "PUT"


def list_between(load: Load, began_at: float, ended_at: float) -> list[Answer]:
    """Requests that began and ended between two times."""
    return [a for a in list(load.answers) if a.began_at > began_at and a.ended_at < ended_at]


def assert_refused_and_others_answered(
    load: Load, began_at: float, *, may_fail: Callable[[Answer], bool], skip: int = 0
) -> str:
    """Asserts that requests which may fail got a 503 problem, and that no others failed and more than 30 succeeded.

    Skips the failures before the fault (`skip`). Returns the last problem's detail.
    """
    ended_at = time.monotonic()
    failed = load.failed()[skip:]
    details = [read_problem(answer) for answer in failed]
    assert [answer for answer in failed if not may_fail(answer)] == []
    assert details, "nothing was refused"
    during_fault = list_between(load, began_at, ended_at)
    assert sum(a.is_good for a in during_fault) > 30, "too few other requests succeeded"
    return details[-1]


def assert_recovered(load: Load) -> None:
    """Asserts that no request fails from now on."""
    began_at = time.monotonic()
    wait_for_answers(load, 100)
    assert [answer for answer in load.failed() if answer.began_at > began_at] == []


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the write lock, as another process in a long transaction would."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.faults
def test_locked_databases_refuse_writes_and_answer_reads(stack: Stack, figures: Figures) -> None:
    """Locks users, words and one shard for ten seconds."""
    var = stack.root / "var"
    with under_load(stack) as load:
        with ExitStack() as locks:
            for name in ("users", "words", f"games{SHARD}"):
                locks.enter_context(locked(var / f"{name}.db"))
            began_at = time.monotonic()
            while time.monotonic() < began_at + LOCKED_S:
                wait_for_answers(load, 10)
            detail = assert_refused_and_others_answered(
                load,
                began_at,
                may_fail=lambda a: (needs_users(a) and a.method == "POST") or (is_result(a) and needs_shard(a)),
            )
        slowest_s = max(answer.ended_at - answer.began_at for answer in load.failed())
        assert_recovered(load)
    assert_nothing_lost(stack, load)
    figures(
        f"users, words and a shard locked for {LOCKED_S:.0f} s: {len(load.failed()):,} of"
        f" {len(load.answers):,} refused, the slowest after {slowest_s:.1f} s («{detail}»)"
    )


@contextmanager
def missing(stack: Stack, database: str) -> Iterator[None]:
    path = stack.root / "var" / f"{database}.db"
    away = path.with_suffix(".away")
    path.rename(away)
    try:
        yield
    finally:
        away.rename(path)


@contextmanager
def unreadable(stack: Stack, database: str) -> Iterator[None]:
    """Removes all permissions from a database file, and restarts its services, which have it open."""
    path = stack.root / "var" / f"{database}.db"
    path.chmod(0)
    try:
        subprocess.run(
            [stack.root / "bin" / "restart", *SERVICES_USING[database]], check=True, stdout=subprocess.DEVNULL
        )
        yield
    finally:
        path.chmod(0o600)


REQUESTS_NEEDING: dict[str, Callable[[Answer], bool]] = {
    "users": lambda a: needs_users(a) or is_result(a) or needs_all_shards(a),
    "words": is_guess,
    f"games{SHARD}": lambda a: needs_shard(a) or needs_all_shards(a),
    "plays": lambda a: is_guess(a) or is_start(a),
}
"""Which requests need a database."""
SERVICES_USING = {"users": ["users", "stats"], "words": ["words"], f"games{SHARD}": ["stats"], "plays": ["games"]}
"""Which services have a database open."""


@pytest.mark.faults
@pytest.mark.parametrize("database", list(REQUESTS_NEEDING))
def test_unopenable_database_fails_only_requests_that_need_it(stack: Stack, figures: Figures, database: str) -> None:
    with under_load(stack) as load:
        for fault in (missing, unreadable):
            skip = len(load.failed())
            with fault(stack, database):
                began_at = time.monotonic()
                while time.monotonic() < began_at + OUTAGE_S:
                    wait_for_answers(load, 10)
                detail = assert_refused_and_others_answered(
                    load, began_at, may_fail=REQUESTS_NEEDING[database], skip=skip
                )
            assert_recovered(load)
            figures(f"{database}.db {fault.__name__}: {len(load.failed()) - skip:,} requests refused («{detail}»)")
    assert_nothing_lost(stack, load)


@contextmanager
def full_disk(stack: Stack, names: Sequence[str]) -> Iterator[None]:
    """Limits the file size of these instances to zero, so that writes fail as on a full disk."""
    instances = [process for name in names for process in find_instance(stack, name).processes]
    before = [process.rlimit(psutil.RLIMIT_FSIZE) for process in instances]
    try:
        for process, (_, hard) in zip(instances, before, strict=True):
            process.rlimit(psutil.RLIMIT_FSIZE, (0, hard))
        yield
    finally:
        for process, limits in zip(instances, before, strict=True):
            process.rlimit(psutil.RLIMIT_FSIZE, limits)


@pytest.mark.faults
def test_full_disk_refuses_writes_and_answers_reads(stack: Stack, figures: Figures) -> None:
    names = [process.name for process in stack.layout.services]
    with under_load(stack) as load:
        with full_disk(stack, names):
            began_at = time.monotonic()
            while time.monotonic() < began_at + OUTAGE_S:
                wait_for_answers(load, 10)
            detail = assert_refused_and_others_answered(load, began_at, may_fail=lambda answer: answer.method != "GET")
        assert_recovered(load)
    assert_nothing_lost(stack, load)
    figures(f"Full disk: {len(load.failed()):,} of {len(load.answers):,} requests refused («{detail}»)")
