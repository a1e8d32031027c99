"""What a player shows to others: how it went, without a letter of it."""

from games.rules.colours import LetterState
from games.rules.plays import MAX_GUESSES, Play, PlayStatus

SQUARES = {LetterState.CORRECT: "🟩", LetterState.PRESENT: "🟨", LetterState.ABSENT: "⬛"}

EXAMPLE_GRID = "Quintet 268 2/6\n\n⬛⬛⬛🟨🟩\n🟩🟩🟩🟩🟩\n"


def draw_grid(game_id: int, play: Play) -> str:
    """`Quintet 268 4/6`, an asterisk behind it for hard mode, X for a loss; an empty line; a row of squares a guess."""
    score = str(len(play.guesses)) if play.status is PlayStatus.WON else "X"
    title = f"Quintet {game_id} {score}/{MAX_GUESSES}{'*' if play.hard else ''}"
    rows = ["".join(SQUARES[state] for state in states) for _, states in play.colours()]
    return "\n".join([title, "", *rows]) + "\n"
