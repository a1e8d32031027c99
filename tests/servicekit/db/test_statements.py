from uuid import UUID

import pytest
from databases import Database
from databases.backends.dialects import psycopg
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select, text
from sqlalchemy.sql import ClauseElement

from servicekit.db.database import write
from servicekit.db.statements import Statement
from servicekit.db.transaction import Transaction
from tests.support.ledger import Ledger, add_entry

pytestmark = pytest.mark.anyio

ENTRIES = Table("entries", MetaData(), Column("number", Integer, primary_key=True), Column("amount", Integer))
WITHOUT_VALUES: list[str | ClauseElement] = [
    "SELECT number, amount FROM entries ORDER BY number",
    text("SELECT number, amount FROM entries ORDER BY number"),
    Statement("SELECT number, amount FROM entries ORDER BY number"),
    select(ENTRIES).order_by(ENTRIES.c.number),
]
SELECT_AMOUNT = "SELECT amount FROM entries WHERE number = :number"


@pytest.mark.parametrize("query", WITHOUT_VALUES, ids=lambda query: type(query).__name__)
async def test_every_kind_of_statement_can_be_fetched(database: Database, query: str | ClauseElement) -> None:
    await add_entry(database, 1, amount=10)
    await add_entry(database, 2, amount=20)
    rows = await database.fetch_all(query)
    assert [(row["number"], row["amount"]) for row in rows] == [(1, 10), (2, 20)]
    row = await database.fetch_one(query)
    assert row is not None
    assert tuple(row) == (1, 10)
    assert await database.fetch_val(query, column="amount") == 10


@pytest.mark.parametrize("query", [SELECT_AMOUNT, Statement(SELECT_AMOUNT)], ids=["str", "Statement"])
async def test_values_are_bound(database: Database, query: str | Statement) -> None:
    await add_entry(database, 1, amount=10)
    assert await database.fetch_val(query, {"number": 1}) == 10
    assert await database.fetch_val(query, {"number": 2}) is None
    assert await database.fetch_one(query, {"number": 2}) is None
    assert await database.fetch_all(query, {"number": 2}) == []


async def test_a_list_of_values_is_expanded(database: Database) -> None:
    for number in range(4):
        await add_entry(database, number)
    query = select(func.count()).select_from(ENTRIES).where(ENTRIES.c.number.in_([1, 3, 5]))
    assert await database.fetch_val(query) == 2


async def test_sqlalchemy_can_write_too(ledger: Ledger, database: Database) -> None:
    async def work(session: Transaction) -> None:
        await session.execute(insert(ENTRIES), {"number": 1, "amount": 0})
        await session.execute_many(insert(ENTRIES), [{"number": 2, "amount": 0}, {"number": 3, "amount": 0}])
        await session.execute(Statement("UPDATE tally SET entries = :entries"), {"entries": 3})

    await write(database, work)
    assert ledger.numbers() == {1, 2, 3}


async def test_binding_values_leaves_the_statement_as_it_was(database: Database) -> None:
    statement = Statement("SELECT :number + 0")
    assert await database.fetch_val(statement, {"number": 1}) == 1
    assert statement.bound == {}


async def test_a_value_is_never_read_as_sql(database: Database) -> None:
    injection = "'; DROP TABLE entries; --"
    assert await database.fetch_val(Statement("SELECT :text"), {"text": injection}) == injection


def test_a_postgresql_backend_gets_what_it_asks_for() -> None:
    """What the one in `databases` does with a clause before it hands text and values to asyncpg."""
    user_id = UUID("5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11")
    statement = Statement("SELECT 1 FROM users WHERE user_id = :user_id AND username = :name")
    dialect = psycopg.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]  # `databases` has no type for it
    compiled = statement.values(user_id=user_id, name="ada").compile(
        dialect=dialect, compile_kwargs={"render_postcompile": True}
    )
    sql = compiled.string % {"name": "$1", "user_id": "$2"}
    assert sql == "SELECT 1 FROM users WHERE user_id = $2::UUID AND username = $1"
    assert compiled.params == {"user_id": user_id, "name": "ada"}
