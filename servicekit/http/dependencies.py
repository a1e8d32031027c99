"""Dependencies that several services have."""

from fastapi import Request

from servicekit.clock import Clock


async def get_clock(request: Request) -> Clock:
    """The clock that `create_app` was given."""
    clock: Clock = request.app.state.clock
    return clock
