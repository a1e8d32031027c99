"""The log: every line of a process, uvicorn's too, as text or as JSON, with the id of the request that it is about."""

import json
import logging
import logging.config
from typing import Literal, TypeAlias

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from servicekit.observability.log_handler import GatheringHandler
from servicekit.observability.request_ids import NO_REQUEST, request_id
from servicekit.observability.stderr import open_stderr

ENCODER = json.JSONEncoder(default=str, separators=(",", ":"))
"""Shared by all lines: `json.dumps` with options creates an encoder each time."""
LogFormat: TypeAlias = Literal["text", "json"]


class TextLines(logging.Formatter):
    """`INFO: GET /api/games/today 200 1.31 ms instance=games.1 request_id=4bf92f3577b34da6a3ce929d0e0e4736`"""

    def __init__(self, instance: str) -> None:
        super().__init__()
        self._instance = instance

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        line = f"{record.levelname}: {record.message} instance={self._instance}"
        current = request_id.get()
        return line if current == NO_REQUEST else f"{line} request_id={current}"


class JsonLines(JsonFormatter):
    """`{"time": …, "level": "INFO", "message": …, "instance": "games.1", "request_id": …}`, and for a request also
    `method`, `path`, `status` and `milliseconds`.
    """

    def __init__(self, instance: str) -> None:
        super().__init__(
            "%(levelname)s %(message)s",
            rename_fields={"levelname": "level"},
            static_fields={"instance": instance},
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],  # uvicorn's message once more, with escape codes
            timestamp="time",
        )

    def jsonify_log_record(self, log_data: dict[str, object]) -> str:
        return ENCODER.encode(log_data)

    def process_log_record(self, log_data: dict[str, object]) -> dict[str, object]:
        current = request_id.get()
        return log_data if current == NO_REQUEST else log_data | {"request_id": current}


def configure_logging(*, log_format: LogFormat, access_log: bool, instance: str) -> None:
    """Configures logging for the whole process, replacing what was configured before."""
    # What no line shows is not looked up: logging's documentation calls this an optimization, of 10 us a line.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"lines": {"()": JsonLines if log_format == "json" else TextLines, "instance": instance}},
            "handlers": {"stderr": {"()": GatheringHandler, "formatter": "lines", "fd": open_stderr()}},
            "root": {"handlers": ["stderr"], "level": "WARNING"},
            "loggers": {
                "quintet": {"level": "INFO", "handlers": [], "propagate": True},
                "quintet.access": {"level": "INFO" if access_log else "WARNING"},
                "uvicorn": {"level": "INFO", "handlers": [], "propagate": True},
                "uvicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
                # Its lines have the query, and not the id.
                "uvicorn.access": {"handlers": [], "propagate": False},
            },
        }
    )


def hide_bound_values() -> None:
    """Under DEBUG aiosqlite would log the values of every statement that writes: hashes of passwords, answers."""
    logging.getLogger("aiosqlite").setLevel(logging.INFO)
