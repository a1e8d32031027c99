"""Databases that are locked, missing, unreadable or full: what needs them is refused in a sentence, and no more."""

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
from tests.faults.conftest import Figures
from tests.support.fault_checks import assert_nothing_lost, read_problem
from tests.support.live import find_instance
from tests.support.load import Answer, Load, under_load, wait_for_answers
from tools.process.stack import Stack

LOCKED_S = 10.0
AWAY_S = 1.0
SHARD = 1
"""The one that has the trouble."""


def is_of_shard(answer: Answer) -> bool:
    """Whether it concerns a player of SHARD."""
    parts = answer.url.split("/")
    return parts[:2] == ["stats", "users"] and shard_number(UUID(parts[2]), 3) == SHARD


def is_of_boards(answer: Answer) -> bool:
    """They need all shards, and the users for the names."""
    return "leaders" in answer.url


def is_of_users(answer: Answer) -> bool:
    return answer.url.startswith("users")


def is_result(answer: Answer) -> bool:
    return answer.method == "POST" and answer.url.startswith("stats/")


def is_guess(answer: Answer) -> bool:
    return answer.url.endswith("/guesses")


def is_begin(answer: Answer) -> bool:
    return answer.method == "PUT"


def begun_between(load: Load, began_at: float, ended_at: float) -> list[Answer]:
    """Requests that were under way between two moments, and none before or after."""
    return [a for a in list(load.answers) if a.began_at > began_at and a.ended_at < ended_at]


def assert_refused_and_others_answered(
    load: Load, began_at: float, *, may_fail: Callable[[Answer], bool], earlier: int = 0
) -> str:
    """What may fail has done so, after `earlier` failures, with a sentence; what may not has not, and went on.

    Returns the last of the sentences.
    """
    ended_at = time.monotonic()
    failed = load.failed()[earlier:]
    sentences = [read_problem(answer) for answer in failed]
    assert [answer for answer in failed if not may_fail(answer)] == []
    assert sentences, "nothing was refused"
    meanwhile = begun_between(load, began_at, ended_at)
    assert sum(a.is_good for a in meanwhile) > 30, "the others did not go on"
    return sentences[-1]


def assert_all_is_well_again(load: Load) -> None:
    """Nothing that begins from now on fails."""
    began_at = time.monotonic()
    wait_for_answers(load, 100)
    assert [answer for answer in load.failed() if answer.began_at > began_at] == []


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """As by another process that has begun to write and does not end."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.faults
def test_locked_databases_refuse_writes_in_a_sentence_and_answer_reads(stack: Stack, figures: Figures) -> None:
    """users, words and one shard, for ten seconds."""
    var = stack.root / "var"
    with under_load(stack) as load:
        with ExitStack() as locks:
            for name in ("users", "words", f"games{SHARD}"):
                locks.enter_context(locked(var / f"{name}.db"))
            began_at = time.monotonic()
            while time.monotonic() < began_at + LOCKED_S:
                wait_for_answers(load, 10)
            said = assert_refused_and_others_answered(
                load,
                began_at,
                may_fail=lambda a: (is_of_users(a) and a.method == "POST") or (is_result(a) and is_of_shard(a)),
            )
        slowest_s = max(answer.ended_at - answer.began_at for answer in load.failed())
        assert_all_is_well_again(load)
    assert_nothing_lost(stack, load)
    figures(
        f"users, words and a shard locked for {LOCKED_S:.0f} s: {len(load.failed()):,} of"
        f" {len(load.answers):,} refused, the slowest after {slowest_s:.1f} s («{said}»)"
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
    """Nobody may open it any more. Who has it open already goes on, so new instances take their places."""
    path = stack.root / "var" / f"{database}.db"
    path.chmod(0)
    try:
        subprocess.run([stack.root / "bin" / "restart", *USERS_OF[database]], check=True, stdout=subprocess.DEVNULL)
        yield
    finally:
        path.chmod(0o600)


NEEDS: dict[str, Callable[[Answer], bool]] = {
    "users": lambda a: is_of_users(a) or is_result(a) or is_of_boards(a),
    "words": is_guess,
    f"games{SHARD}": lambda a: is_of_shard(a) or is_of_boards(a),
    "plays": lambda a: is_guess(a) or is_begin(a),
}
"""Which requests need which database."""
USERS_OF = {"users": ["users", "stats"], "words": ["words"], f"games{SHARD}": ["stats"], "plays": ["games"]}
"""Which services have it open."""


@pytest.mark.faults
@pytest.mark.parametrize("database", list(NEEDS))
def test_a_file_that_cannot_be_opened_refuses_what_needs_it_and_nothing_else(
    stack: Stack, figures: Figures, database: str
) -> None:
    with under_load(stack) as load:
        for trouble in (missing, unreadable):
            earlier = len(load.failed())
            with trouble(stack, database):
                began_at = time.monotonic()
                while time.monotonic() < began_at + AWAY_S:
                    wait_for_answers(load, 10)
                said = assert_refused_and_others_answered(load, began_at, may_fail=NEEDS[database], earlier=earlier)
            assert_all_is_well_again(load)
            figures(f"{database}.db {trouble.__name__}: {len(load.failed()) - earlier:,} requests refused («{said}»)")
    assert_nothing_lost(stack, load)


@contextmanager
def full_disk(stack: Stack, names: Sequence[str]) -> Iterator[None]:
    """No file of these instances may grow, as on a disk without a free block."""
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
def test_a_full_disk_refuses_writes_in_a_sentence_and_answers_reads(stack: Stack, figures: Figures) -> None:
    names = [process.name for process in stack.layout.services]
    with under_load(stack) as load:
        with full_disk(stack, names):
            began_at = time.monotonic()
            while time.monotonic() < began_at + AWAY_S:
                wait_for_answers(load, 10)
            said = assert_refused_and_others_answered(load, began_at, may_fail=lambda answer: answer.method != "GET")
        assert_all_is_well_again(load)
    assert_nothing_lost(stack, load)
    figures(f"Full disk: {len(load.failed()):,} of {len(load.answers):,} requests refused («{said}»)")
