"""The problems of stats that a client must tell apart, each with its type (docs/api.md)."""

from servicekit.problems import Conflict, NotFound

PAGES = "/api/stats/problems"


class UnknownUser(NotFound):
    type_uri = f"{PAGES}/unknown-user"
    description = "There is no such user"
    advice = "Register the player at users first."


class ResultDiffers(Conflict):
    type_uri = f"{PAGES}/result-differs"
    description = "Another result of this game is stored for this user"
    advice = "Do not send it again: results never change."


TYPES = (UnknownUser, ResultDiffers)
