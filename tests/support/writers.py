"""Processes that write to the databases of a test as the services do."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.polling import wait_until
from tests.support.scripts import start_script
from tests.support.writer_process import read_acknowledged


@contextmanager
def writing(acknowledged: Sequence[Path]) -> Iterator[None]:
    """Runs a process for each file that writes to all databases; fails if one ends by itself."""
    scripts = [start_script("tests.support.writer_process", str(path)) for path in acknowledged]
    try:
        wait_until(lambda: all(read_acknowledged(path)[1] for path in acknowledged))
        yield
        assert [script.poll() for script in scripts] == [None] * len(scripts)
    finally:
        for script in scripts:
            script.kill()
            script.communicate()
