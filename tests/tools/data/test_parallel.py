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
from tools.data.parallel import run_in_parallel

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
    run_in_parallel(partial(work, name) for name in sys.argv[1:])
    return 0

run_script(main)
"""


def fail(sentence: str) -> None:
    raise SystemExit(sentence)


def children() -> list[int]:
    return [child.pid for child in psutil.Process().children(recursive=True)]


def test_all_tasks_are_done_each_in_a_process_of_its_own(tmp_path: Path) -> None:
    def note(number: int) -> None:
        (tmp_path / str(number)).write_text(str(os.getpid()))

    run_in_parallel(partial(note, number) for number in range(4))

    pids = {int((tmp_path / str(number)).read_text()) for number in range(4)}
    assert len(pids) == 4
    assert os.getpid() not in pids


def test_when_one_fails_it_says_why_and_the_others_are_ended(capfd: pytest.CaptureFixture[str]) -> None:
    before = children()
    began_at = time.monotonic()
    with pytest.raises(SystemExit) as end:
        run_in_parallel([partial(time.sleep, 60), partial(fail, "There is no more paper.")])

    assert end.value.code == 1
    assert time.monotonic() - began_at < 20
    assert capfd.readouterr().err.endswith(": There is no more paper.\n")
    assert children() == before


def test_of_several_that_fail_for_one_reason_the_first_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_in_parallel(partial(fail, "The disk is full.") for _ in range(4))
    assert capfd.readouterr().err.count("The disk is full.") == 1


def test_one_that_is_killed_ends_the_others_too(tmp_path: Path) -> None:
    def kill_itself() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    before = children()
    with pytest.raises(SystemExit, match=r"^A process was ended by signal 9\.$"):
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
