"""The member `error` of RFC 6749 in the problems of the token endpoint, for clients made for OAuth2."""

from collections.abc import Sequence

from fastapi import Request

from servicekit.http.errors import FieldError

BY_STATUS = {
    401: "invalid_grant",
    415: "invalid_request",
    422: "invalid_request",
    429: "temporarily_unavailable",
    503: "temporarily_unavailable",
}
BY_FIELD = {"body.grant_type": "unsupported_grant_type", "body.scope": "invalid_scope"}


def find_oauth_error(request: Request, status: int, errors: Sequence[FieldError]) -> str | None:
    """A code of section 5.2, or of 4.1.2.1 for what the token endpoint has none for; None at other endpoints."""
    path = request.url.path
    if request.method != "POST" or not path.endswith("/token") or path.endswith("/session/token"):
        return None
    codes = (BY_FIELD.get(field.field) for field in errors)
    return next((code for code in codes if code is not None), BY_STATUS.get(status))
