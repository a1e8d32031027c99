"""The words service, as games sees it."""

import logging
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

import httpx

from servicekit.errors import Unavailable

logger = logging.getLogger("quintet")

KEEP_ALIVE_S = 4.0
"""Below the five seconds after which uvicorn closes an idle connection: one that we send on must not be closing."""


class Dictionary(AbstractAsyncContextManager["Dictionary"]):
    """Asks over HTTP, on connections that are kept open."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        limits = httpx.Limits(max_connections=100, keepalive_expiry=KEEP_ALIVE_S)
        self._client = httpx.AsyncClient(base_url=self._url, timeout=self._timeout_s, limits=limits)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def has(self, word: str) -> bool:
        """Whether a word may be guessed. Raises Unavailable if the words service gives no answer to that."""
        try:
            response = await self._client.get(f"/{word}")
        except httpx.HTTPError as error:
            raise Unavailable("The words service does not answer. Try again later.") from error
        match response.status_code:
            case httpx.codes.OK:
                return True
            case httpx.codes.NOT_FOUND:
                return False
        logger.error("the words service answered %s for a word", response.status_code)
        raise Unavailable("The words service cannot say whether this is a word. Try again later.")
