"""A running suite for fault injection."""

import os
from collections.abc import Iterator

import pytest

from tests.support.fault_project import make_project
from tests.support.live import RUNNER, UNLIMITED
from tools.process.stack import Stack, running_stack

UNPRIVILEGED = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Drops root's privilege to open files regardless of their permissions."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running suite, shared by all tests of this folder that restore its state."""
    root = make_project(tmp_path_factory.mktemp("faults"))
    wrapper = UNPRIVILEGED if os.geteuid() == 0 else ()
    with running_stack(root, runner=RUNNER, environment=UNLIMITED, wrapper=wrapper) as running:
        yield running
