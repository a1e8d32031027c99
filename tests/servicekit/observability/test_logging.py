"""Log lines as text and as JSON, with the logging configuration of a server process."""

import json
import logging
from collections.abc import Iterator

import pytest

from servicekit.observability.logging import LogFormat, configure_logging
from servicekit.observability.request_ids import request_id

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
NAMES = ("", "quintet", "quintet.access", "uvicorn", "uvicorn.error", "uvicorn.access")


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    """Restores handlers and levels after a test: pytest's own handlers are on the root logger."""
    loggers = [logging.getLogger(name) for name in NAMES]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    current = request_id.set(ID)
    yield
    request_id.reset(current)
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


def configure(log_format: LogFormat = "text", *, access_log: bool = True) -> None:
    configure_logging(log_format=log_format, access_log=access_log, instance="ledger.7")


def log_an_exception(logger: logging.Logger) -> None:
    try:
        int("three\nlines")
    except ValueError:
        logger.exception("It failed")


def test_text_line_ends_with_instance_and_request_id(capfd: pytest.CaptureFixture[str]) -> None:
    configure()
    logging.getLogger("quintet").warning("It is %s", "late")
    assert capfd.readouterr().err == f"WARNING: It is late instance=ledger.7 request_id={ID}\n"


def test_json_line_has_all_fields(capfd: pytest.CaptureFixture[str]) -> None:
    configure("json")
    logging.getLogger("uvicorn.error").info("It is %s", "late")
    line = json.loads(capfd.readouterr().err)
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "INFO", "message": "It is late", "instance": "ledger.7", "request_id": ID}


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_line_outside_a_request_has_no_request_id(log_format: LogFormat, capfd: pytest.CaptureFixture[str]) -> None:
    request_id.set("0" * 32)
    configure(log_format)
    logging.getLogger("quintet").warning("It is late")
    line = capfd.readouterr().err
    assert "ledger.7" in line
    assert "request_id" not in line


def test_traceback_follows_the_line_with_the_request_id(capfd: pytest.CaptureFixture[str]) -> None:
    configure()
    log_an_exception(logging.getLogger("uvicorn.error"))
    first, second, *_ = capfd.readouterr().err.splitlines()
    assert first == f"ERROR: It failed instance=ledger.7 request_id={ID}"
    assert second == "Traceback (most recent call last):"


def test_json_line_contains_the_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    configure("json")
    log_an_exception(logging.getLogger("quintet"))
    (line,) = map(json.loads, capfd.readouterr().err.splitlines())
    assert line["request_id"] == ID
    assert "ValueError: invalid literal" in line["exc_info"]


@pytest.mark.parametrize("access_log", [True, False])
def test_access_log_is_optional_and_uvicorns_is_off(capfd: pytest.CaptureFixture[str], *, access_log: bool) -> None:
    configure(access_log=access_log)
    logging.getLogger("quintet.access").info("GET / 200")
    logging.getLogger("uvicorn.access").info("GET /?password=1 200")
    logging.getLogger("uvicorn.error").info("Started")
    lines = capfd.readouterr().err.splitlines()
    assert [line.split(" instance=")[0] for line in lines] == ["INFO: GET / 200"] * access_log + ["INFO: Started"]
    assert not logging.getLogger("uvicorn.access").hasHandlers()  # so uvicorn does not even format its lines


def test_other_libraries_log_warnings_only(capfd: pytest.CaptureFixture[str]) -> None:
    configure()
    logging.getLogger("httpx").info("HTTP Request: GET http://127.0.0.1/")
    logging.getLogger("asyncio").warning("Executing took too long")
    assert capfd.readouterr().err.startswith("WARNING: Executing took too long ")


def test_configuring_twice_writes_each_line_once(capfd: pytest.CaptureFixture[str]) -> None:
    configure("json")
    configure()
    logging.getLogger("uvicorn").info("Started")
    assert capfd.readouterr().err == f"INFO: Started instance=ledger.7 request_id={ID}\n"
