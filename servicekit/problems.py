"""The kinds of errors that a service answers with. servicekit/http/errors.py makes responses of them."""

from collections.abc import Iterable, Mapping

ABOUT_BLANK = "about:blank"
"""RFC 9457: the status says what kind of problem it is."""


class Problem(Exception):
    """An error response; each kind is a subclass with its status, and is raised with a sentence."""

    status: int = 500
    description: str = "Something is wrong with the service"
    type_uri: str = ABOUT_BLANK
    """The path of a page about it, where a client must tell it from others of the same status."""
    header_names: tuple[str, ...] = ()
    """The headers of its response, besides those of every response."""
    advice: str = ""
    """A sentence: what a client does about it; of every problem with a page."""

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers


class BadRequest(Problem):
    status = 400
    description = "The path has a control character"


class Unauthorized(Problem):
    """The request has no valid token."""

    status = 401
    description = "A token is missing or not valid, or a password is wrong"
    header_names = ("WWW-Authenticate",)

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    status = 403
    description = "The token lacks the required scope"


class CrossOrigin(Forbidden):
    description = "The request does not come from a page of this origin"


class NotFound(Problem):
    status = 404
    description = "It does not exist"


class MethodNotAllowed(Problem):
    status = 405
    description = "The path does not take this method"

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        """`allowed`: all methods of the path."""
        names = ", ".join(allowed)
        super().__init__(f"{method} is not possible here; use {names}.", headers={"Allow": names})


class Conflict(Problem):
    status = 409
    description = "It contradicts what is stored"


class UnsupportedMediaType(Problem):
    status = 415
    description = "The body is of another media type"
    header_names = ("Accept",)

    def __init__(self, detail: str, *, accepted: str) -> None:
        """`accepted`: the media types that can be sent."""
        super().__init__(detail, headers={"Accept": accepted})


class UnsupportedContentEncoding(Problem):
    status = 415
    description = "The body has a Content-Encoding"
    header_names = ("Accept-Encoding",)

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Accept-Encoding": "identity"})


class Invalid(Problem):
    status = 422
    description = "The input has the wrong form"

    def __init__(self, field: str, message: str) -> None:
        """`field` is `body.guess`, `path.game_id` or `query.limit`; `message` is the rest of the sentence."""
        super().__init__(f"{field}: {message}.")
        self.field = field
        self.message = message


class TooMany(Problem):
    status = 429
    description = "Too many requests in too short a time"
    header_names = ("Retry-After",)

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})


class Unavailable(Problem):
    status = 503
    description = "A database or service that is needed does not answer"


class DatabaseUnavailable(Unavailable):
    """A database is missing, locked for too long, full or corrupt; the transaction was rolled back."""


class DatabaseBusy(DatabaseUnavailable):
    """Another process holds the lock."""
