import logging

import pytest

from servicekit.logging import hide_health_checks, is_no_health_check


def access(method: str, path: str, status: int) -> logging.LogRecord:
    """A line of uvicorn's access log."""
    arguments = ("127.0.0.1:50000", method, path, "1.1", status)
    return logging.LogRecord("uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', arguments, None)


@pytest.mark.parametrize("path", ["/health", "/api/stats/health"])
def test_a_health_check_that_went_well_has_no_line(path: str) -> None:
    assert not is_no_health_check(access("GET", path, 200))


@pytest.mark.parametrize(
    "record",
    [
        access("GET", "/health", 503),
        access("POST", "/health", 405),
        access("GET", "/users/1", 200),
        access("GET", "/healthy", 200),
        logging.LogRecord("uvicorn.access", logging.INFO, "", 0, "something else", None, None),
        logging.LogRecord("uvicorn.access", logging.INFO, "", 0, "%s", ("GET",), None),
    ],
    ids=lambda record: record.getMessage(),
)
def test_everything_else_has_its_line(record: logging.LogRecord) -> None:
    assert is_no_health_check(record)


def test_several_apps_in_one_process_filter_once() -> None:
    hide_health_checks()
    hide_health_checks()
    assert logging.getLogger("uvicorn.access").filters.count(is_no_health_check) == 1
