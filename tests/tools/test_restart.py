"""bin/restart, without a suite: tests/faults replaces the instances of a running one."""

from pathlib import Path

import psutil
import pytest

from tests.tools.keeping import Kept
from tests.waiting import wait_until
from tools.processes import Instance, list_children
from tools.restart import choose, main, replace

INSTANCES = [Instance(name, None, ()) for name in ("users.1", "stats.1", "stats.2")]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([], ["users.1", "stats.1", "stats.2"]),
        (["stats"], ["stats.1", "stats.2"]),
        (["stats.2", "users"], ["users.1", "stats.2"]),
        (["stats", "stats.1"], ["stats.1", "stats.2"]),
    ],
)
def test_a_name_is_that_of_an_instance_or_of_a_service(names: list[str], chosen: list[str]) -> None:
    assert [instance.name for instance in choose(INSTANCES, names)] == chosen


def test_a_name_that_is_nobodys_is_refused_and_nothing_is_restarted() -> None:
    with pytest.raises(SystemExit, match=r"^There is no stats\.4: choose from games, games\.1, stats, stats\.1, "):
        main(["stats.4"])


def test_what_does_not_run_cannot_be_replaced() -> None:
    with pytest.raises(SystemExit, match=r"^users\.1 does not run: start the suite with bin/run\.$"):
        replace(INSTANCES[0])


def as_instance(kept: Kept) -> Instance:
    keeper = psutil.Process(kept.process.pid)
    return Instance("stats.1", keeper, list_children(keeper))


def test_an_instance_is_replaced_when_the_new_one_is_there_and_the_old_one_gone(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(as_instance(kept))
    old, new = kept.pids("began")
    assert kept.pids("ended") == [old]
    assert capsys.readouterr().out == f"stats.1: process {old} ... replaced by {new}.\n"


def test_a_new_instance_that_does_not_become_ready_is_told_and_the_old_one_goes_on(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    instance = as_instance(kept)
    with pytest.raises(SystemExit, match=r"^The new stats\.1 did not become ready, and the old one goes on"):
        replace(instance)
    wait_until(lambda: as_instance(kept).processes == instance.processes)


def test_a_new_instance_that_ended_between_two_looks_is_told_too(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken").touch()
    monkeypatch.setattr("tools.restart.TIMEOUT_S", 1)
    monkeypatch.setattr("tools.restart.POLL_S", 2)
    with pytest.raises(SystemExit, match=r"^The new stats\.1 did not become ready, and the old one goes on"):
        replace(as_instance(kept))
