"""The scheduling policy of a process that calls use_batch_scheduling, and of its children."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, subprocess, sys
from tools.process.scheduling import use_batch_scheduling
use_batch_scheduling()
print(os.sched_getscheduler(0))
subprocess.run([sys.executable, "-c", "import os; print(os.sched_getscheduler(0))"], check=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the policy")
def test_process_and_its_children_get_the_batch_policy() -> None:
    ended = subprocess.run([sys.executable, "-u", "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert [int(line) for line in ended.stdout.split()] == [os.SCHED_BATCH] * 2
