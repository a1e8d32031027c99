"""The stack of bin/bench --postgres: as one on SQLite, with the same rows and keys, but its databases on a server."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tools.bench.bench_server import new_database, settle
from tools.config.paths import DataPaths
from tools.data.server_databases import create_on_server
from tools.data.upgrades import list_all_schemas
from tools.process.stack import copy_project


@contextmanager
def new_server_stack(source: Path, root: Path, *, server: str) -> Iterator[None]:
    """Makes a stack in a new folder with the contents of another one, which is not running. Its databases are dropped
    at the end of the block."""
    root.mkdir()
    copy_project(root)
    files = DataPaths.in_folder(source / "var")
    (root / "var").mkdir()
    for key in files.keys:
        shutil.copy2(key, root / "var")
    schemas = list_all_schemas(files)
    with ExitStack() as made:
        urls = {path: made.enter_context(new_database(server, path.stem)) for path in files.all}
        for path, url in urls.items():
            create_on_server(url, schemas[path], path, replace=False)
            settle(url)
        with (root / ".env").open("a", encoding="utf-8") as dotenv:
            dotenv.writelines(f"{name}={value}\n" for name, value in list_settings(files, urls).items())
        yield


def list_settings(paths: DataPaths, urls: dict[Path, str]) -> dict[str, str]:
    """The lines of .env, by the URL of each database."""
    return {
        "USERS_DATABASE_URL": urls[paths.users],
        "STATS_USERS_URL": urls[paths.users],
        "STATS_SHARD_URLS": ",".join(urls[path] for path in paths.shards),
        "WORDS_DATABASE_URL": urls[paths.words],
        "GAMES_ANSWERS_URL": urls[paths.answers],
        "GAMES_PLAYS_URL": urls[paths.plays],
    }
