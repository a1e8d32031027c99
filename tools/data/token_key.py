"""The fingerprint of the public key, which the users database keeps: machines that share it must have the same keys.

Tokens that one machine issues would be refused by another with other keys. bin/init compares, before it makes a key.
"""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from servicekit.auth.tokens import read_public_key
from tools.config.paths import DataPaths
from tools.data.atomic_files import open_to_read, refuse_in_use
from tools.data.keys import NEW_KEYS
from tools.data.server_databases import find_server_version, refuse_server_in_use, run_on_server
from tools.data.upgrades import find_version

FIRST_VERSION = 4
"""Of the users database: earlier ones have no such table."""
FIND = "SELECT fingerprint FROM token_key"
KEEP = "ON CONFLICT (number) DO NOTHING"
REPLACE = "ON CONFLICT (number) DO UPDATE SET fingerprint = excluded.fingerprint"
WRITE_TIMEOUT_S = 10


def make_fingerprint(public_key: Path) -> str:
    """SHA-256 of the key in DER, in hexadecimal. Raises Unavailable if there is no key in the file."""
    key = read_public_key(public_key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def find_fingerprint(data_paths: DataPaths) -> str | None:
    """What the users database keeps; None if there is nothing yet, or no database."""
    url = data_paths.on_servers.get(data_paths.users)
    version = find_version(data_paths.users) if url is None else find_server_version(url)
    if version < FIRST_VERSION:
        return None
    if url is None:
        with closing(open_to_read(data_paths.users)) as database:
            row = database.execute(FIND).fetchone()
        return None if row is None else str(row[0])

    async def find(connection: Any) -> str | None:  # noqa: ANN401 - asyncpg's
        fingerprint: str | None = await connection.fetchval(FIND)
        return fingerprint

    return run_on_server(url, find)


def require_same_key(data_paths: DataPaths, public_key: Path) -> None:
    """Raises SystemExit if the users database keeps the fingerprint of another key."""
    if find_fingerprint(data_paths) not in {None, make_fingerprint(public_key)}:
        raise SystemExit(
            f"The tokens of {data_paths.name(data_paths.users)} are signed with other keys than this machine's: copy"
            f" {data_paths.private_key} and {data_paths.public_key} from another machine or a backup, or {NEW_KEYS}."
        )


def store_fingerprint(data_paths: DataPaths, *, replace: bool) -> None:
    """Of two machines that store theirs at the same time, the primary key lets one succeed. Raises SystemExit on the
    other one."""
    fingerprint = make_fingerprint(data_paths.public_key)
    if find_fingerprint(data_paths) == fingerprint:
        return
    values = f"VALUES (1, '{fingerprint}')"
    insert = f"INSERT INTO token_key (number, fingerprint) {values} {REPLACE if replace else KEEP}"
    url = data_paths.on_servers.get(data_paths.users)
    if url is None:
        with closing(sqlite3.connect(data_paths.users, timeout=WRITE_TIMEOUT_S)) as database, database:
            database.execute(insert)
    else:
        run_on_server(url, lambda connection: connection.execute(insert))
    require_same_key(data_paths, data_paths.public_key)


def refuse_users_in_use(data_paths: DataPaths) -> None:
    """Raises InUse if a service, on a server also of another machine, has the users database open."""
    url = data_paths.on_servers.get(data_paths.users)
    if url is not None:
        refuse_server_in_use(url)
    elif data_paths.users.exists():
        refuse_in_use([data_paths.users])
