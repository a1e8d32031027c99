import errno
import os
import socket

import pytest

from tools.process.port_checks import is_free


def test_port_in_use_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_port_reserved_for_root_is_not_called_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_socket: socket.socket, _address: tuple[str, int]) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(socket.socket, "bind", refuse)  # tests may run as root
    with pytest.raises(SystemExit, match=r"^Port 443 is reserved for root: choose ports from 1024 on"):
        is_free(443)
