"""Standard error, where all processes log, made so that no write to it waits for its reader.

A runner that is frozen leaves its pipe full after 64 KiB; a blocking write would then stop the process that logs.
"""

import os
import stat

STDERR = 2


def open_stderr() -> int:
    """The file descriptor. A write to a full pipe raises BlockingIOError, and one without a reader BrokenPipeError.

    Only a pipe is made non-blocking: on a terminal the flag would reach the user's shell.
    """
    if stat.S_ISFIFO(os.fstat(STDERR).st_mode):
        os.set_blocking(STDERR, False)
    return STDERR
