"""Cache-Control: browsers and proxies must not store responses about one player.

@router.get(..., dependencies=[NO_STORE])
"""

from fastapi import Depends, Response

NO_STORE_HEADERS = {"Cache-Control": "no-store"}


async def forbid_storing(response: Response) -> None:
    """For a route that returns a model; one that returns a Response gives it NO_STORE_HEADERS itself."""
    response.headers.update(NO_STORE_HEADERS)


NO_STORE = Depends(forbid_storing)
