"""The problems of users that a client must tell apart, each with its type (docs/api.md)."""

from servicekit.problems import Conflict, Forbidden

PAGES = "/api/users/problems"


class NameTaken(Conflict):
    type_uri = f"{PAGES}/name-taken"
    description = "Another player has the name"
    advice = "Choose another name."


class OldPasswordWrong(Forbidden):
    type_uri = f"{PAGES}/old-password-wrong"
    description = "The old password is wrong"
    advice = "Type it again; too many failures are 429."


TYPES = (NameTaken, OldPasswordWrong)
