"""The PostgreSQL engine of `Database`; nothing of it is imported on SQLite. Read the modules in this order:

1. `backend.py`: joins the parts.
2. `connections.py`: lends connections for a limited time.
3. `hosts.py`: opens them to the host that takes writes.
4. `statements.py` and `column_types.py`: the same SQL and values as on SQLite, as asyncpg takes them.
5. `writer.py`: transactions, their locks and retries.
6. `failures.py`: which errors mean that the database is unavailable, and in which words.
"""
