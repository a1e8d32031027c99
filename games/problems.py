"""The problems of games that a client must tell apart, each with its type (docs/api.md)."""

from servicekit.problems import Conflict, Invalid, NotFound

PAGES = "/api/games/problems"


class NotAWord(Invalid):
    type_uri = f"{PAGES}/not-a-word"
    description = "The guess is neither a candidate nor in the dictionary"
    advice = "No attempt is used: guess another word for the same attempt."


class HintUnused(Invalid):
    type_uri = f"{PAGES}/hard-mode"
    description = "The guess leaves a hint unused, which hard mode forbids"
    advice = "No attempt is used: guess a word with all letters that are known."


class PlayNotBegun(NotFound):
    type_uri = f"{PAGES}/play-not-begun"
    description = "The player has not begun this puzzle"
    advice = "Begin it with PUT, while it is today's."


class NotToday(Conflict):
    type_uri = f"{PAGES}/not-today"
    description = "The puzzle was never begun and is not today's"
    advice = "Ask for today's puzzle; only that can be begun."


class ResultExists(Conflict):
    type_uri = f"{PAGES}/result-exists"
    description = "The statistics have a result of this puzzle already, from another front end or an import"
    advice = "Play the next day's puzzle: results never change."


class AttemptTaken(Conflict):
    type_uri = f"{PAGES}/attempt-taken"
    description = "This attempt was another guess, perhaps from another device"
    advice = "Read the play, and go on with the attempt that comes next."


class AttemptSkipped(Conflict):
    type_uri = f"{PAGES}/attempt-skipped"
    description = "An earlier attempt is missing"
    advice = "Read the play, and go on with the attempt that comes next."


class PlayOver(Conflict):
    type_uri = f"{PAGES}/play-over"
    description = "The play is won or lost"
    advice = "Read the play: it has the answer."


class PlayNotOver(Conflict):
    type_uri = f"{PAGES}/play-not-over"
    description = "The play is not over, so there is nothing to share"
    advice = "Ask again after the last guess."


class PlayClosed(Conflict):
    type_uri = f"{PAGES}/play-closed"
    description = "The day after the puzzle's own is over, so the play can no longer be finished"
    advice = "Play today's puzzle."


TYPES = (
    NotAWord,
    HintUnused,
    PlayNotBegun,
    NotToday,
    ResultExists,
    AttemptTaken,
    AttemptSkipped,
    PlayOver,
    PlayNotOver,
    PlayClosed,
)
