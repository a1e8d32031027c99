"""The work of a script in several processes, which all end, whatever happens to one of them or to the script."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.support.polling import wait_until
from tools.config.paths import ROOT
from tools.data.parallel import CONTEXT, run_in_parallel

SCRIPT = """
import sys, time
from functools import partial
from pathlib import Path
from tools.data.parallel import run_in_parallel
from tools.script import run_script

def work(name):
    Path(name).touch()
    time.sleep(60)

def main():
    run_in_parallel([partial(work, name) for name in sys.argv[1:]])
    return 0

run_script(main)
"""


def children() -> list[int]:
    return [child.pid for child in psutil.Process().children(recursive=True)]


def test_tasks_run_at_the_same_time_each_in_its_own_process(tmp_path: Path) -> None:
    all_started = CONTEXT.Barrier(4)

    def note(number: int) -> None:
        all_started.wait(20)
        (tmp_path / str(number)).write_text(str(os.getpid()))

    run_in_parallel([partial(note, number) for number in range(4)])

    pids = {int((tmp_path / str(number)).read_text()) for number in range(4)}
    assert len(pids) == 4
    assert os.getpid() not in pids


@pytest.mark.parametrize("error", [SystemExit("There is no more paper."), OSError(28, "No space left", "users.db")])
def test_first_failure_is_raised_and_ends_the_other_tasks(error: BaseException) -> None:
    def fail() -> None:
        raise error

    before = children()
    began_at = time.monotonic()
    with pytest.raises(type(error)) as raised:
        run_in_parallel([partial(time.sleep, 60), fail, fail])

    assert str(raised.value) == str(error)
    assert time.monotonic() - began_at < 20
    assert children() == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_worker_is_noticed_and_ends_the_other_tasks(number: signal.Signals) -> None:
    def kill_itself() -> None:
        os.kill(os.getpid(), number)

    before = children()
    with pytest.raises(SystemExit, match=r"^A worker process was killed"):
        run_in_parallel([partial(time.sleep, 60), kill_itself])
    assert children() == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_when_the_script_is_ended(number: signal.Signals, tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in "abc"]
    script = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *names],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: all(Path(name).exists() for name in names))
    workers = psutil.Process(script.pid).children()
    assert len(workers) == 3

    if number == signal.SIGINT:
        os.killpg(script.pid, number)  # Ctrl-C in a terminal reaches every process of the group
    else:
        script.send_signal(number)

    _, said = script.communicate(timeout=20)
    assert said == ("" if number == signal.SIGKILL else f"bin/-c: Stopped by {number.name}.\n")
    wait_until(lambda: not any(worker.is_running() for worker in workers))
