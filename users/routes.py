"""The endpoints of users, as seen behind Traefik's /api/users."""

from uuid import uuid4

from fastapi import APIRouter, Request, Response, status

from servicekit.databases import transaction
from servicekit.errors import Conflict, Invalid, NotFound, Unavailable, problems
from servicekit.pages import PageLimit, cut_page, link_next
from users import queries
from users.deps import AfterInQuery, NameInQuery, UserInPath, UsersDatabase
from users.models import NewUser, User, Users

router = APIRouter(tags=["users"])


@router.post(
    "/",
    summary="Register a player",
    status_code=status.HTTP_201_CREATED,
    responses=problems(Conflict, Invalid, Unavailable),
)
async def register_user(new: NewUser, users: UsersDatabase, request: Request, response: Response) -> User:
    """Gives the player a random id. 409 if the name is taken; `Ada` and `ada` are two names."""
    user_id = uuid4()
    async with transaction(users) as connection:
        # UNIQUE (username) decides between two who want the same name at the same instant
        if not await queries.insert_user(connection, user_id=user_id, username=new.username):
            raise Conflict(f"The name {new.username} is taken; choose another.")
    response.headers["Location"] = f"{request.scope['root_path']}/{user_id}"
    return User(user_id=user_id, username=new.username)


@router.get("/", summary="Find a player by name, or list players", responses=problems(Invalid, Unavailable))
async def list_users(
    users: UsersDatabase,
    request: Request,
    response: Response,
    username: NameInQuery = None,
    limit: PageLimit = 100,
    after: AfterInQuery = None,
) -> Users:
    """With `username` one player or none; without it a page in the order of the ids.

    The header `Link` names the next page, and is missing on the last one.
    """
    if username is not None:
        found = await queries.find_user_by_name(users, username=username)
        rows = [] if found is None else [found]
    else:
        rows, more = cut_page(await queries.list_users(users, after=after, limit=limit + 1), limit)
        if more:
            link_next(request, response, {"limit": limit, "after": rows[-1].user_id})
    return Users(users=[User(user_id=row.user_id, username=row.username) for row in rows])


@router.get("/{user_id}", summary="A player by id", responses=problems(NotFound, Invalid, Unavailable))
async def read_user(user_id: UserInPath, users: UsersDatabase) -> User:
    """404 if there is no such player."""
    row = await queries.find_user(users, user_id=user_id)
    if row is None:
        raise NotFound(f"There is no user {user_id}.")
    return User(user_id=row.user_id, username=row.username)
