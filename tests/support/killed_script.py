"""Runs a script, and sends it a signal at the Nth call of a function, or of any: `MODULE FUNCTION N SIGNAL ARGUMENTS`.

`any` counts the functions of the modules that move databases, and built-in ones (statements, renames, fsync) that they
call and that change databases. Without a signal the number of calls is printed.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from types import FrameType

from tools.script import run_script

EVENTS = {
    "tools.data.reshard": {"call", "c_call"},
    "tools.data.locked_databases": {"call", "c_call"},
    "tools.data.atomic_files": {"call", "c_call"},
    "tools.data.server_databases": {"call"},
    "tools.data.server_connections": {"call"},
    "tools.data.moved_groups": {"call"},
    "tools.data.moveshard": {"call"},
    "tools.data.replication": {"call"},
    "tools.data.fences": {"call"},
}


def main(module: str, function: str, last: int, signum: int, arguments: Sequence[str]) -> int:
    script = importlib.import_module(module)
    calls = 0

    def watch(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        if event not in EVENTS.get(frame.f_globals.get("__name__", ""), ()):
            return
        if function in {"any", frame.f_code.co_name} and (function == "any" or event == "call"):
            calls += 1
            if calls == last:
                os.kill(os.getpid(), signum)

    sys.setprofile(watch)
    status = int(script.main(arguments))
    sys.setprofile(None)
    print(calls)
    return status


if __name__ == "__main__":
    run_script(lambda: main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]))
