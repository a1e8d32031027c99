"""Runs the main function of every script in bin/: a failure is one sentence and an exit status, not a traceback.

if __name__ == "__main__":
    run_script(main)
"""

import os
import shlex
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tools.data.atomic_files import STOP_SIGNALS, InUse


class Stopped(BaseException):
    """Raised by SIGINT, SIGTERM and SIGHUP. Not an Exception, so that only clean-up code sees it."""

    def __init__(self, signum: int) -> None:
        self.signal = signal.Signals(signum)
        super().__init__(f"Stopped by {self.signal.name}.")


def run_script(main: Callable[[], int]) -> NoReturn:
    """Exits with the status that `main` returns, with 1 after a failure, which a sentence on stderr explains, or with
    128 + the number of the signal that stopped it.

    In `main`, a signal raises Stopped, and a refusal is a SystemExit with a sentence. A programming error, such as
    TypeError, still shows its traceback.
    """
    for signum in STOP_SIGNALS:
        if signal.getsignal(signum) != signal.SIG_IGN:  # as under nohup
            signal.signal(signum, stop)
    sys.exit(explain_failure(main))


def explain_failure(main: Callable[[], int]) -> int:
    """The status that `main` returns, or that of the failure whose sentence is on stderr."""
    try:
        status = main()
        sys.stdout.flush()
    except Stopped as stopped:
        status = fail(str(stopped), 128 + stopped.signal)
    except SystemExit as end:
        status = fail(end.code) if isinstance(end.code, str) else end.code or 0
    except InUse as error:
        status = fail(str(error))
    except subprocess.CalledProcessError as error:
        reason = (error.stderr or "its output says why.").strip()
        status = fail(f"{shlex.join(map(str, error.cmd))} exited with status {error.returncode}: {reason}")
    except sqlite3.Error as error:
        status = fail(f"SQLite failed: {error}. Check the disk, and the databases with bin/verify.")
    except BrokenPipeError:
        # From the documentation of Python's signal module: the interpreter flushes stdout once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = fail("The output was closed before the script had finished.")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        status = fail(f"{place}{error.strerror or error}.")
    return status


def stop(signum: int, _frame: FrameType | None) -> None:
    """The first signal stops the script; later ones are ignored, so that they do not interrupt its clean-up."""
    for ignored in STOP_SIGNALS:
        signal.signal(ignored, signal.SIG_IGN)
    raise Stopped(signum)


def fail(sentence: str, status: int = 1) -> int:
    print(f"bin/{Path(sys.argv[0]).stem}: {sentence}", file=sys.stderr)
    return status
