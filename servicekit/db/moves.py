"""The marks by which bin/reshard keeps services out of a database, where they look for its schema version.

A move has a random number, which is added to both marks, so that the databases that it leaves and fills are known to
belong together. No schema version comes near them, so an earlier Quintet takes a mark for that of a later one.
"""

INCOMPLETE = 1_000_000_000
"""A move is filling the database."""
MOVED = 2_000_000_000
"""All rows have gone to another database."""
NUMBERS = 100_000_000
"""How many moves can be told apart; PostgreSQL and SQLite keep versions in 32 bits."""


def explain_mark(version: int) -> str | None:
    """What follows the name of a database that has a mark; None for a schema version."""
    if version >= MOVED:
        return "has been moved by bin/reshard: put the lines of the file that its --to named into .env"
    if version >= INCOMPLETE:
        return "is incomplete since bin/reshard was interrupted: run it again, with the settings of before"
    return None
