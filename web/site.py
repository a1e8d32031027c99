"""The files of the site, read once at the start: pages, and what they load.

The paths of what pages load have a hash over all of it, `/static/HASH/board.js`, so a browser may keep it as long as it
likes: a changed file has another path. Modules import each other by relative paths and so with the same hash. In the
pages, `current` stands for the hash.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).resolve().parent
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
SUITE_PAGE = "suite"
ONLY_WITH_SUITE = re.compile(r"<!-- suite -->.*?<!-- /suite -->\n?", re.DOTALL)
"""What a page has only where there is the page of the suite: the link to it."""


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    media_type: str

    @property
    def etag(self) -> str:
        """Strong, quoted: the same bytes have the same."""
        return f'"{hash_content(self.content)}"'


@dataclass(frozen=True, slots=True)
class Site:
    hash: str
    """Of everything that pages load; 16 hexadecimal digits."""
    pages: Mapping[str, File]
    """By name: `index`, `suite`, `not-found`."""
    static: Mapping[str, File]
    """By name: `board.js`."""


def hash_content(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def read_site(*, with_suite: bool) -> Site:
    static = {path.name: File(path.read_bytes(), MEDIA_TYPES[path.suffix]) for path in list_files("static")}
    site_hash = hash_content(b"".join(name.encode() + file.content for name, file in static.items()))
    pages = {
        path.stem: complete_page(path.read_text(encoding="utf-8"), site_hash, with_suite=with_suite)
        for path in list_files("pages")
        if with_suite or path.stem != SUITE_PAGE
    }
    return Site(site_hash, MappingProxyType(pages), MappingProxyType(static))


def list_files(folder: str) -> list[Path]:
    """In the order of their names, on which the hash depends."""
    return sorted((FOLDER / folder).iterdir())


def complete_page(text: str, site_hash: str, *, with_suite: bool) -> File:
    text = text.replace("/static/current/", f"/static/{site_hash}/")
    return File((text if with_suite else ONLY_WITH_SUITE.sub("", text)).encode(), MEDIA_TYPES[".html"])
