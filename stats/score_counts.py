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


def list_changes(before: Standing | None, after: Standing) -> list[tuple[Board, int, int]]:
    """(board, score, -1 or +1) for each score that a player leaves or reaches."""
    changes = []
    for board, score_of in SCORES.items():
        old, new = None if before is None else score_of(before), score_of(after)
        if old is not None and old != new:
            changes.append((board, old, -1))
        if old != new:
            changes.append((board, new, +1))
    return changes


async def move_score_counts(shard: Transaction, before: Standing | None, after: Standing) -> None:
    """Moves the player from the old score to the new one on each board.

    Raises DatabaseUnavailable if a count is missing that must be there: the shard is damaged.
    """
    for board, score, change in list_changes(before, after):
        if change > 0:
            await queries.increment_score_count(shard, board=board, score=score)
        elif not await queries.decrement_score_count(shard, board=board, score=score):
            raise DatabaseUnavailable(
                f"A shard has no count of the players with {score} on the board {board}: run bin/verify."
            )
