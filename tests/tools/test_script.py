import re
import subprocess
import sys

import pytest

from tests.support.scripts import TIMEOUT_S
from tools.config.paths import ROOT

SCRIPT = """
import errno, os, signal, sqlite3, subprocess, sys
from tools.script import run_script
from tools.data.atomic_files import InUse
def main():
    {body}
run_script(main)
"""


def run_body(body: str) -> tuple[int, str]:
    """Status and stderr of a script whose main has this body."""
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(body=body)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return result.returncode, result.stderr


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ("return 0", 0, ""),
        ("return 1", 1, ""),
        ("sys.exit(2)", 2, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit('The port is taken.')", 1, "The port is taken."),
        ("raise InUse('The database is in use.')", 1, "The database is in use."),
        ("sqlite3.connect(':memory:').execute('nonsense')", 1, r'SQLite failed: near "nonsense": syntax error. Check'),
        ("raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))", 1, "No space left on device."),
        ("open('/nowhere/at/all')", 1, "/nowhere/at/all: No such file or directory."),
        ("subprocess.run(['sh', '-c', 'exit 3'], check=True)", 1, "bin/-c: sh -c 'exit 3' exited with status 3: its"),
        ("subprocess.run(['cat', 'no'], capture_output=True, text=True, check=True)", 1, "status 1: cat: no: No such"),
        ("os.kill(os.getpid(), signal.SIGTERM)", 143, "Stopped by SIGTERM."),
        ("os.kill(os.getpid(), signal.SIGINT)", 130, "Stopped by SIGINT."),
        ("os.kill(os.getpid(), signal.SIGHUP)", 129, "Stopped by SIGHUP."),
        ("os.close(sys.stdin.fileno()); r, w = os.pipe(); os.close(r); os.dup2(w, 1); print('x')", 1, "The output was"),
    ],
)
def test_end_is_one_sentence_and_a_status(body: str, status: int, sentence: str) -> None:
    found, errors = run_body(body)

    assert found == status
    assert errors.count("\n") == (1 if sentence else 0)
    assert sentence in errors


def test_second_signal_does_not_cut_the_clean_up_short() -> None:
    body = """
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        os.kill(os.getpid(), signal.SIGINT)
        print("cleaned up", file=sys.stderr)
    """

    assert run_body(body) == (143, "cleaned up\nbin/-c: Stopped by SIGTERM.\n")


def test_signal_inside_an_event_loop_stops_a_script() -> None:
    body = """
    import asyncio
    from tools.data.server_connections import run_or_explain
    async def wait():
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
        await asyncio.sleep(20)
    with asyncio.Runner() as runner:
        run_or_explain(runner, "postgresql://nowhere/x", wait())
    """

    assert run_body(body) == (143, "bin/-c: Stopped by SIGTERM.\n")


def test_bug_still_shows_its_trace() -> None:
    status, errors = run_body("return None + 1")

    assert status == 1
    assert re.search("Traceback.*TypeError", errors, re.DOTALL)
