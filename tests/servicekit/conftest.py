from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from databases import Database

from tests.servicekit.ledger import Ledger, create_ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    create_ledger(tmp_path / "ledger.db")
    return Ledger(tmp_path / "ledger.db")


@pytest.fixture
async def database(ledger: Ledger, anyio_backend: str) -> AsyncIterator[Database]:
    async with ledger.open() as database:
        yield database
