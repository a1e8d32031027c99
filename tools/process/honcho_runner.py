"""Runs honcho so that it exits when its output is closed, as by `bin/run | head`, or by `| tee` and Ctrl-C.

By itself it would wait for helper processes that ignore signals. The supervisors stop when honcho has exited.
"""

import os
from typing import Any

import honcho.command
from honcho.printer import Printer


class ClosingPrinter(Printer):  # type: ignore[misc]  # honcho has no types
    def write(self, message: Any) -> None:  # noqa: ANN401 - as in honcho
        try:
            super().write(message)
        except OSError:
            os._exit(1)


if __name__ == "__main__":
    honcho.command.Printer = ClosingPrinter
    honcho.command.main()
