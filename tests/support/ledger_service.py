"""A small service on the ledger, for tests of what all services share."""

from typing import Annotated

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from servicekit.http.errors import problems
from servicekit.observability.metrics import Metrics
from servicekit.problems import Conflict, Invalid, NotFound, Problem, Unavailable
from servicekit.service import create_service
from servicekit.settings import ServiceSettings
from tests.support.ledger import Ledger

INTERNAL_DETAIL = "a secret of the server's"  # must not reach clients


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: StrictInt
    note: Annotated[str, Field(pattern="^[a-z]*$")] = ""


def create_ledger_service(ledger: Ledger) -> FastAPI:
    router = APIRouter()
    database = ledger.open(busy_timeout_ms=50)

    async def check() -> None:
        await database.fetch_val("SELECT amount FROM total")

    @router.get("/")
    async def read_root(request: Request) -> dict[str, str]:
        return {"root_path": request.scope["root_path"]}

    @router.post("/entries", responses=problems(Invalid))
    async def post_entry(entry: Entry) -> Entry:
        return entry

    @router.put("/entries", responses=problems(Invalid))
    async def put_entry(entry: Entry) -> Entry:
        return entry

    @router.get("/total")
    async def read_total() -> int:
        return int(await database.fetch_val("SELECT amount FROM total"))

    @router.get("/errors/{status}")
    async def raise_problem(status: int) -> None:
        if status == Invalid.status:
            raise Invalid("path.status", "it cannot be, dear \ud800")
        kinds: list[type[Problem]] = [NotFound, Conflict, Unavailable]
        for kind in kinds:
            if kind.status == status:
                raise kind("It cannot be, dear \ud800.")
        raise RuntimeError(INTERNAL_DETAIL)

    return create_service(
        ServiceSettings(_env_file=None, instance="ledger.7"),
        Metrics(),
        name="ledger",
        description="Tests.",
        tags={},
        router=router,
        databases=[database],
        checks=[check],
    )
