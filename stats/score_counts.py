"""How many players have each score: kept in step with the standings, in the same transaction.

Every writer of `standings` goes through `move_score_counts`; scripts that fill a shard count once at the end.
"""

from servicekit.db.transaction import Transaction
from servicekit.problems import DatabaseUnavailable
from stats import queries
from stats.leaderboards import Board
from stats.standings import Standing


def scores_of(standing: Standing) -> dict[Board, int]:
    return {Board.WINS: standing.won, Board.STREAKS: standing.max_streak}


def list_changes(before: Standing | None, after: Standing) -> list[tuple[Board, int, int]]:
    """(board, score, -1 or +1) for each score that a player leaves or reaches."""
    old, new = {} if before is None else scores_of(before), scores_of(after)
    left = [(board, score, -1) for board, score in old.items() if new[board] != score]
    reached = [(board, score, +1) for board, score in new.items() if old.get(board) != score]
    return sorted(left + reached)


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
