"""How many players have each score: kept in step with the standings, in the same transaction.

Every writer of `standings` goes through `move_score_counts`; scripts that fill a shard count once at the end.
"""

from collections.abc import Callable
from operator import attrgetter

from servicekit.db.transaction import Transaction
from servicekit.problems import DatabaseUnavailable
from stats import queries
from stats.leaderboards import Board
from stats.standings import Standing

SCORES: dict[Board, Callable[[Standing], int]] = {
    Board.STREAKS: attrgetter("max_streak"),
    Board.WINS: attrgetter("won"),
}
"""Of each board; SCORE_COLUMNS in queries.py has the columns."""


def list_changes(before: Standing | None, after: Standing) -> list[tuple[Board, int | None, int]]:
    """(board, old score, new score) for each board on which a player's score changes; None before the first game."""
    scores = [
        (board, None if before is None else score_of(before), score_of(after)) for board, score_of in SCORES.items()
    ]
    return [(board, old, new) for board, old, new in scores if old != new]


async def move_score_counts(shard: Transaction, before: Standing | None, after: Standing) -> None:
    """Moves the player from the old score to the new one on each board. The boards have one order, and on each a score
    only grows: so all transactions change the rows in ascending order, and no two wait for each other.

    Raises DatabaseUnavailable if a count is missing that must be there: the shard is damaged.
    """
    for board, old, new in list_changes(before, after):
        if old is None:
            await queries.increment_score_count(shard, board=board, score=new)
        elif not await queries.move_score_count(shard, board=board, old=old, new=new):
            raise DatabaseUnavailable(
                f"A shard has no count of the players with {old} on the board {board}: run bin/verify."
            )
