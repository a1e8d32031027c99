from pathlib import Path

import pytest

from tests.support.old_databases import CREATE_MORE, CREATE_TABLES, dump_file, make_file


@pytest.fixture
def dump_text(tmp_path: Path) -> str:
    """An old database as SQL text."""
    return dump_file(make_file(tmp_path / "dumped.db", schema=CREATE_TABLES + CREATE_MORE))
