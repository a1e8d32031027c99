"""What the body of a request is: JSON, or the form of the endpoint that gives out tokens.

FastAPI says of a body of another type that its fields are missing, or that it is no object.
"""

from email.message import Message

from fastapi import Request
from fastapi.params import Form
from fastapi.routing import APIRoute

from servicekit.problems import UnsupportedMediaType

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def find_wrong_media_type(request: Request) -> UnsupportedMediaType | None:
    """Why the body of a request that FastAPI found invalid could not be read; None if its media type is right."""
    route = request.scope["route"]
    if not isinstance(route, APIRoute) or route.body_field is None or not has_body(request):
        return None
    media_type = read_media_type(request.headers.get("Content-Type", ""))
    if isinstance(route.body_field.field_info, Form):
        if media_type in {FORM, MULTIPART}:
            return None
        sentence = f"Send the body as a form, with Content-Type: {FORM}."
        return UnsupportedMediaType(sentence, accepted=f"{FORM}, {MULTIPART}")
    if media_type == JSON or (media_type.startswith("application/") and media_type.endswith("+json")):
        return None
    return UnsupportedMediaType(f"Send the body as JSON, with Content-Type: {JSON}.", accepted=JSON)


def has_body(request: Request) -> bool:
    return "Transfer-Encoding" in request.headers or request.headers.get("Content-Length", "0") != "0"


def read_media_type(content_type: str) -> str:
    """In lower case and without parameters, as FastAPI reads it; `text/plain` if there is none or it is malformed."""
    message = Message()
    message["Content-Type"] = content_type
    return message.get_content_type()
