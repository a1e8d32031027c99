"""The problems of users that a client must tell apart, each with its type (docs/api.md)."""

from servicekit.problems import Conflict, Forbidden, Unauthorized

PAGES = "/api/users/problems"


class NameTaken(Conflict):
    type_uri = f"{PAGES}/name-taken"
    description = "Another player has the name"
    advice = "Choose another name."


class OldPasswordWrong(Forbidden):
    type_uri = f"{PAGES}/old-password-wrong"
    description = "The old password is wrong"
    advice = "Type it again; too many failures are 429."


class PasswordWrong(Forbidden):
    type_uri = f"{PAGES}/password-wrong"
    description = "The password is wrong"
    advice = "Type it again; too many failures are 429."


class PasswordChanged(Conflict):
    description = "The password was changed by another request at the same time"


class SessionEnded(Unauthorized):
    type_uri = f"{PAGES}/session-ended"
    description = "This browser is not signed in, or its session has ended"
    advice = "Ask for name and password, and sign in."


TYPES = (NameTaken, OldPasswordWrong, PasswordWrong, SessionEnded)
