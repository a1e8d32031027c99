"""honcho, which ends when its output is closed: `bin/run | head`, or `| tee` and Ctrl-C.

Left alone it would wait for helper processes that ignore signals. The supervisors end when honcho has ended.
"""

import os
from typing import Any

import honcho.command
from honcho.printer import Printer


class ClosingPrinter(Printer):  # type: ignore[misc]  # honcho has no types
    def write(self, message: Any) -> None:  # noqa: ANN401 - honcho's own
        try:
            super().write(message)
        except OSError:
            os._exit(1)


if __name__ == "__main__":
    honcho.command.Printer = ClosingPrinter
    honcho.command.main()
