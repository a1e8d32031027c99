"""The log: uvicorn writes a line a request, unless UVICORN_ACCESS_LOG=false."""

import logging


def is_no_health_check(record: logging.LogRecord) -> bool:
    """False for the access line of Traefik's health check, which comes every second and hides all others.

    uvicorn's arguments are (client, method, path, HTTP version, status); a check that failed is worth its line.
    """
    match record.args:
        case (_, "GET", str(path), _, 200):
            return not path.endswith(("/health", "/live"))
    return True


def hide_health_checks() -> None:
    logging.getLogger("uvicorn.access").addFilter(is_no_health_check)


def hide_bound_values() -> None:
    """Under DEBUG aiosqlite would log the values of every statement that writes: hashes of passwords, answers."""
    logging.getLogger("aiosqlite").setLevel(logging.INFO)
