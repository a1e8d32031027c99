"""The problems of stats that a client must tell apart, each with its type (docs/api.md)."""

from servicekit.problems import Conflict, NotFound


class UnknownUser(NotFound):
    type_name = "unknown-user"
    description = "There is no such user"
    advice = "Register the player at users first."


class ResultDiffers(Conflict):
    type_name = "result-differs"
    description = "Another result of this game is stored for this user"
    advice = "Do not send it again: results never change."


TYPES = (UnknownUser, ResultDiffers)
