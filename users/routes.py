"""The endpoints of users, as seen behind Traefik's /api/users."""

from functools import partial
from uuid import uuid4

from fastapi import APIRouter, Request, Response, status

from servicekit.auth.tokens import Scope
from servicekit.http.documentation import name_operation
from servicekit.http.errors import problems
from servicekit.http.pagination import PageLimit, cut_page, link_next
from servicekit.http.parameters import UserInPath
from servicekit.http.response_headers import describe_headers
from servicekit.observability.server_timing import NO_SERVER_TIMING
from servicekit.problems import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthorized, Unavailable
from users import queries
from users.dependencies import AfterInQuery, ClientAddress, LoginForm, NameInQuery, OwnerOrAdmin, Resources
from users.logins import Credentials, find_login, log_in
from users.models import NewPassword, NewUser, Token, User, UserPage
from users.password_change import Change, change_own_password
from users.problems import NameTaken, OldPasswordWrong
from users.queries import UserRow
from users.registration import NewPlayer, add_user, require_free_name, set_password

router = APIRouter(tags=["users"], generate_unique_id_function=name_operation)


@router.post(
    "/",
    summary="Register a player",
    status_code=status.HTTP_201_CREATED,
    dependencies=[NO_SERVER_TIMING],
    responses=problems(NameTaken, Invalid, Unavailable) | {201: {"headers": describe_headers("Location")}},
)
async def register_user(
    new: NewUser,
    resources: Resources,
    address: ClientAddress,
    request: Request,
    response: Response,
) -> User:
    """Gives the player a random id. 409 if the name is taken; `Ada` and `ada` are two names."""
    user_id = uuid4()
    await require_free_name(resources.users, new.username)
    # Before the write lock, for which others wait.
    password_hash = await resources.passwords.hash(new.password.get_secret_value(), address=address)
    player = NewPlayer(user_id, new.username, password_hash, address, resources.clock())
    await resources.users.write(partial(add_user, player=player))
    response.headers["Location"] = f"{request.scope['root_path']}/{user_id}"
    return User(user_id=user_id, username=new.username)


@router.get(
    "/",
    summary="Find a player by name, or list players",
    responses=problems(Invalid, Unavailable) | {200: {"headers": describe_headers("Link")}},
)
async def list_users(
    resources: Resources,
    request: Request,
    response: Response,
    username: NameInQuery = None,
    limit: PageLimit = 100,
    after: AfterInQuery = None,
) -> UserPage:
    """With `username` one player or none; without it a page in the order of the ids.

    The header `Link` names the next page, and is missing on the last one.
    """
    if username is not None:
        found = await find_login(resources.users, username)
        rows = [] if found is None else [UserRow(found.user_id, found.username)]
    else:
        rows, more = cut_page(await queries.list_users(resources.users, after=after, limit=limit + 1), limit)
        if more:
            link_next(request, response, {"limit": limit, "after": rows[-1].user_id})
    return UserPage(users=[User(user_id=row.user_id, username=row.username) for row in rows])


@router.post(
    "/token",
    summary="Get a token for a name and a password",
    dependencies=[NO_SERVER_TIMING],
    responses=problems(Unauthorized, Invalid, TooMany, Unavailable),
)
async def create_token(
    form: LoginForm,
    resources: Resources,
    address: ClientAddress,
    response: Response,
) -> Token:
    """The password flow of OAuth2: the token has the scope `player`. 401 does not say whether there is such a name.

    429 after too many failures, whatever the password; `Retry-After` says for how many seconds. At an address where the
    name has logged in within 90 days: 5 within 5 minutes. Elsewhere also 20 within a day for the name at that address,
    60 within 10 minutes for all names at that address, and 100 within a day for the name at all such addresses. Errors
    have the member `error` of RFC 6749 besides.
    """
    credentials = Credentials(form.username, form.password.get_secret_value(), address)
    user_id = await log_in(resources, credentials)
    lifetime = resources.token_lifetime
    token = resources.token_issuer.issue(scope=Scope.PLAYER, user_id=user_id, now=resources.clock(), lifetime=lifetime)
    response.headers["Cache-Control"] = "no-store"
    return Token(access_token=token, token_type="bearer", expires_in=int(lifetime.total_seconds()))  # noqa: S106 - not a secret


@router.get("/{user_id}", summary="A player by id", responses=problems(NotFound, Invalid, Unavailable))
async def read_user(user_id: UserInPath, resources: Resources) -> User:
    """404 if there is no such player."""
    row = await queries.find_user(resources.users, user_id=user_id)
    if row is None:
        raise NotFound(f"There is no user {user_id}.")
    return User(user_id=row.user_id, username=row.username)


@router.put(
    "/{user_id}/password",
    summary="Change a password",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[NO_SERVER_TIMING],
    responses=problems(Unauthorized, Forbidden, OldPasswordWrong, NotFound, Conflict, Invalid, TooMany, Unavailable),
)
async def put_password(
    caller: OwnerOrAdmin,
    user_id: UserInPath,
    new: NewPassword,
    resources: Resources,
    address: ClientAddress,
) -> None:
    """One's own, with the old one: 403 if that is wrong, and failures count as those of log-ins do.

    An administrator gives any player a password without the old one: those from an old database, who have none, and
    those who forgot theirs. Access tokens stay valid until they run out.
    """
    password = new.password.get_secret_value()
    if Scope.ADMIN in caller.scopes:
        password_hash = await resources.passwords.hash(password, address=address)
        await resources.users.write(partial(set_password, user_id=user_id, password_hash=password_hash))
    elif new.old_password is None:
        raise Invalid("body.old_password", "the old password is needed to change one's own")
    else:
        change = Change(user_id, new.old_password.get_secret_value(), password, address)
        await change_own_password(resources, change)
