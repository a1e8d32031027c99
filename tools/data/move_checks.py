"""What bin/moveshard refuses before it changes anything."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from servicekit.db.moves import explain_mark
from servicekit.settings import hide_password
from tools.config.paths import DataPaths
from tools.data.fences import fence_statement, unfence_statement
from tools.data.replication import list_tables
from tools.data.server_connections import ServerConnection, connected
from tools.data.upgrades import current_version, list_all_schemas

DEFAULT_PORT = 5432


@dataclass(frozen=True, slots=True)
class Move:
    source: str
    """The URL of a superuser for the database on the old server."""
    target: str
    """The same on the new server."""
    services: str
    """The URL that the services have, with both hosts."""
    role: str
    """That of the services."""
    schema: str
    """The name of the file in share/postgresql/."""


@dataclass(frozen=True, slots=True)
class Login:
    role: str
    can_write: bool


def list_hosts(url: str) -> list[str]:
    """Each with its port."""
    hosts = urlsplit(url).netloc.rpartition("@")[2].split(",")
    return [host if re.search(r":\d+$", host) else f"{host}:{DEFAULT_PORT}" for host in hosts]


def log_in(services: str, url: str) -> Login:
    """Logs in with the services' URL on the one host that the other URL names."""
    authority, host = urlsplit(services).netloc, urlsplit(url).netloc.rpartition("@")[2]
    account, at, _ = authority.rpartition("@")
    with connected(services.replace(authority, f"{account}{at}{host}", 1), session="any") as server:
        query = "SELECT current_user::text, current_setting('default_transaction_read_only') = 'off'"
        return Login(*server.fetch(query)[0])


def find_move(data_paths: DataPaths, source: str, target: str) -> Move:
    """Raises SystemExit if no setting has a URL of the database with both hosts."""
    database, hosts = urlsplit(source).path, {*list_hosts(source), *list_hosts(target)}
    if urlsplit(target).path != database or len(hosts) < 2:  # noqa: PLR2004 - the old and the new one
        raise SystemExit("--from and --to should name the same database on two servers.")
    for path, services in data_paths.on_servers.items():
        if urlsplit(services).path == database and set(list_hosts(services)) == hosts:
            role = log_in(services, source).role
            return Move(source, target, services, role, list_all_schemas(data_paths)[path])
    both = ",".join([*list_hosts(source), *list_hosts(target)])
    raise SystemExit(
        f"No setting has the hosts {both} with the database {database[1:]}: put both into its URL, in .env on every"
        " machine, and run bin/restart."
    )


def has_moved(move: Move) -> bool:
    """Raises SystemExit unless services can write to the old database, and to the new one only after the move."""
    on_old, on_new = log_in(move.services, move.source), log_in(move.services, move.target)
    if on_new.can_write and on_old.can_write:
        raise SystemExit(
            f"Services could write to {hide_password(move.target)} before its rows are there: run"
            f" {fence_statement(move.target, move.role)} on that server."
        )
    if not on_new.can_write and not on_old.can_write:
        raise SystemExit(
            f"Services cannot write to {hide_password(move.source)}: run {unfence_statement(move.source, move.role)}"
            " on that server."
        )
    return on_new.can_write


def refuse_unsuitable(move: Move, old: ServerConnection, new: ServerConnection) -> None:
    """Raises SystemExit with a sentence if one of the servers cannot do its part."""
    is_other_superuser = "SELECT rolsuper AND rolname <> $1 FROM pg_roles WHERE rolname = current_user"
    for server in (old, new):
        if not server.fetch(is_other_superuser, move.role)[0][0]:
            raise SystemExit(f"{server.name} should name a superuser, and not the role of the services.")
    if old.fetch("SHOW wal_level")[0][0] != "logical":
        raise SystemExit(f"{old.name}: set wal_level = logical there, and restart that server.")
    if new.major_version < old.major_version:
        raise SystemExit(
            f"{new.name} has PostgreSQL {new.major_version}, and {old.name} {old.major_version}: move to the same"
            " version or a later one."
        )
    version, needed = old.fetch("SELECT version FROM schema_version")[0][0], current_version(move.schema)
    if version != needed:
        reason = explain_mark(version) or f"has schema version {version}, and this Quintet {needed}: run bin/init"
        raise SystemExit(f"{old.name} {reason}.")
    if tables := list_tables(new):
        raise SystemExit(f"{new.name} has tables already ({', '.join(tables)}): make an empty database there.")
