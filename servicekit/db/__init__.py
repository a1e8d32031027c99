"""The databases of the services. Read the modules in this order:

1. `database.py`: what a service uses, `Database` with `fetch_one`, `fetch_all`, `fetch_val` and `write`.
2. `transaction.py`: the same methods inside `write`; `engine.py`: SQLite or PostgreSQL.
3. `reader.py`: how SQLite is read; `backend.py` joins it and the writer.
4. `writer.py`: how SQLite is written, by group commit; `writer_thread.py` is its thread.
5. `sqlite_file.py` and `column_types.py`: a SQLite file, and the types that SQLite lacks.
6. `sharding.py`: which shard holds a player; `fan_out.py`: the same question to all; `cache.py`: answers that stay
   valid until the next commit, or (`single_flight.py`) that callers at the same time share.

On PostgreSQL `postgres/` takes the place of 3 to 5.

Services import `database`, `engine`, `transaction`, `sharding`, `fan_out` and `cache` only. SQL stands in their
`queries.py`, as strings with `:name` parameters.
"""
