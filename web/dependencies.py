"""The dependencies of the routes of web."""

from typing import Annotated

from fastapi import Depends, Request

from web.site import Site


async def get_site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


CurrentSite = Annotated[Site, Depends(get_site)]
