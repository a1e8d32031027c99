"""How every script in bin/ ends when something goes wrong: with one sentence and a status, and without a trace.

if __name__ == "__main__":
    run_script(main)
"""

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tools.data.atomic_files import STOP_SIGNALS, InUse


class Stopped(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal. Not an Exception: only clean-ups should see it pass."""

    def __init__(self, signum: int) -> None:
        self.signal = signal.Signals(signum)
        super().__init__(f"Stopped by {self.signal.name}.")


def run_script(main: Callable[[], int]) -> NoReturn:
    """Ends the process with what `main` returns, 1 after a failure that a sentence on stderr explains, or 128 + the
    number of the signal that stopped it.

    Inside `main`, a signal raises Stopped, and SystemExit with a sentence is the way to refuse. A bug of ours
    (TypeError and the like) still shows its trace.
    """
    for signum in STOP_SIGNALS:
        if signal.getsignal(signum) != signal.SIG_IGN:  # as under nohup
            signal.signal(signum, stop)
    sys.exit(explain_failure(main))


def explain_failure(main: Callable[[], int]) -> int:
    """What `main` returns, or the status that belongs to the sentence on stderr."""
    try:
        status = main()
        sys.stdout.flush()
    except Stopped as stopped:
        status = fail(str(stopped), 128 + stopped.signal)
    except SystemExit as end:
        status = fail(end.code) if isinstance(end.code, str) else end.code or 0
    except InUse as error:
        status = fail(str(error))
    except sqlite3.Error as error:
        status = fail(f"SQLite failed: {error}.")
    except BrokenPipeError:
        # As the documentation of Python's signal module has it: else the interpreter flushes again, and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = fail("The output was closed before the end.")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        status = fail(f"{place}{error.strerror or error}.")
    return status


def stop(signum: int, _frame: FrameType | None) -> None:
    """The first signal stops the script; later ones are ignored, so that none cuts its clean-up short."""
    for ignored in STOP_SIGNALS:
        signal.signal(ignored, signal.SIG_IGN)
    raise Stopped(signum)


def fail(sentence: str, status: int = 1) -> int:
    print(f"bin/{Path(sys.argv[0]).stem}: {sentence}", file=sys.stderr)
    return status
