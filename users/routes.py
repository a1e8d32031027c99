"""The endpoints of users, as seen behind Traefik's /api/users."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response, status

from servicekit.auth.session_cookie import OR_NOTHING, SESSION_COOKIE, OwnCookie
from servicekit.auth.tokens import Scope
from servicekit.http.caching import NO_STORE
from servicekit.http.documentation import name_operation
from servicekit.http.errors import problems
from servicekit.http.pagination import PageLimit, cut_page, link_next
from servicekit.http.parameters import UserInPath
from servicekit.http.response_headers import describe_headers
from servicekit.http.same_origin import JSON_ONLY, SAME_ORIGIN
from servicekit.observability.server_timing import NO_SERVER_TIMING
from servicekit.problems import (
    CrossOrigin,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unauthorized,
    Unavailable,
)
from users import queries
from users.accounts.account_end import Proof, end_account
from users.accounts.password_change import Change, change_own_password
from users.accounts.registration import register, set_password
from users.dependencies import AfterInQuery, ClientAddress, LoginForm, NameInQuery, OwnerOrAdmin, Resources
from users.logins.log_in import Credentials, find_login, log_in
from users.models import EXAMPLE_USER, AccountEnd, NewPassword, NewUser, Refresh, SignIn, Token, User, UserPage
from users.problems import NameTaken, OldPasswordWrong, PasswordChanged, PasswordWrong, SessionEnded
from users.queries import UserRow
from users.resources import UsersResources
from users.sessions.browser_sessions import end_sessions, find_session, refresh_session, start_session
from users.sessions.lifetime import ACCESS_TOKEN_LIFETIME, LIFETIME

router = APIRouter(tags=["users"], generate_unique_id_function=name_operation)
WITHOUT_PASSWORD = AccountEnd()
NOTHING = Refresh()
SETS_COOKIE: dict[int | str, dict[str, Any]] = {200: {"headers": describe_headers("Set-Cookie")}}


@router.post(
    "/",
    summary="Register a player",
    status_code=status.HTTP_201_CREATED,
    dependencies=[NO_SERVER_TIMING],
    responses=problems(NameTaken, Invalid, Unavailable)
    | {
        200: {
            "model": User,
            "description": "This player has just registered",
            "headers": describe_headers("Location"),
        },
        201: {"headers": describe_headers("Location")},
    },
)
async def register_user(
    new: NewUser,
    resources: Resources,
    address: ClientAddress,
    request: Request,
    response: Response,
) -> User:
    """Gives the player a random id. 409 if the name is taken, or belonged to an account that ended less than a year
    ago. The same registration may be sent again within a minute, from the same address: it is 200 then.

    `Ada` and `ada` are two names.
    """
    credentials = Credentials(new.username, new.password.get_secret_value(), address)
    user_id, is_new = await register(resources, credentials)
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
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
    dependencies=[NO_STORE, NO_SERVER_TIMING],
    responses=problems(Unauthorized, Invalid, TooMany, Unavailable),
)
async def create_token(form: LoginForm, resources: Resources, address: ClientAddress) -> Token:
    """The password flow of OAuth2: the token has the scope `player`. 401 does not say whether there is such a name.

    429 after too many failures, whatever the password; `Retry-After` says for how many seconds. At an address where the
    name has logged in within 90 days: 5 within 5 minutes. Elsewhere also 20 within a day for the name at that address,
    60 within 10 minutes for all names at that address, and 100 within a day for the name at all such addresses. Errors
    have the member `error` of RFC 6749 besides.
    """
    credentials = Credentials(form.username, form.password.get_secret_value(), address)
    login = await log_in(resources, credentials)
    return issue_token(resources, login.user_id, lifetime=resources.token_lifetime)


def issue_token(resources: UsersResources, user_id: UUID, *, lifetime: timedelta) -> Token:
    """A player's. Raises Unavailable without the key."""
    token = resources.token_issuer.issue(scope=Scope.PLAYER, user_id=user_id, now=resources.clock(), lifetime=lifetime)
    return Token(access_token=token, token_type="bearer", expires_in=int(lifetime.total_seconds()))  # noqa: S106 - not a secret


@router.post(
    "/session",
    summary="Sign in a browser",
    dependencies=[NO_SERVER_TIMING, NO_STORE, SAME_ORIGIN],
    responses=problems(Unauthorized, CrossOrigin, PasswordChanged, Invalid, TooMany, Unavailable) | SETS_COOKIE,
)
async def sign_in(new: SignIn, cookie: OwnCookie, resources: Resources, address: ClientAddress) -> Token:
    """Gives a token that is valid for ten minutes, and a cookie, with which a page gets further ones.

    The limits are those of `POST /token`. A player has ten sessions at most: the eleventh ends the oldest. The session
    that this browser had ends. Only for pages of this host: `Sec-Fetch-Site: same-origin`, or an equal `Origin`.
    """
    credentials = Credentials(new.username, new.password.get_secret_value(), address)
    login = await log_in(resources, credentials)
    token = issue_token(resources, login.user_id, lifetime=ACCESS_TOKEN_LIFETIME)
    cookie.send(await start_session(resources, login, replaced=cookie.tokens), lifetime=LIFETIME)
    return token


@router.post(
    "/session/token",
    summary="Get another token for a session",
    dependencies=[NO_STORE, SAME_ORIGIN, JSON_ONLY, SESSION_COOKIE],
    openapi_extra={"requestBody": {"required": True}},  # so that clients send the Content-Type
    responses=problems(SessionEnded, CrossOrigin, Invalid, Unavailable) | SETS_COOKIE,
)
async def refresh_token(cookie: OwnCookie, resources: Resources, _refresh: Refresh = NOTHING) -> Token:
    """Needs `Content-Type: application/json`; the body is `{}`, or empty. The token is valid for ten minutes; keep it
    in memory only.

    A session ends after 30 days without this, and after a year. At most once a day this extends it, and sends the
    cookie again, whose value stays the same. 401 if the session has ended: signed out, or by a new password.
    """
    refreshed = await refresh_session(resources, token=cookie.token)
    token = issue_token(resources, refreshed.user_id, lifetime=ACCESS_TOKEN_LIFETIME)
    if cookie.token is not None and refreshed.cookie_lifetime is not None:
        cookie.send(cookie.token, lifetime=refreshed.cookie_lifetime)
    return token


@router.get(
    "/session",
    summary="Who is signed in?",
    dependencies=[NO_STORE, SAME_ORIGIN, SESSION_COOKIE],
    openapi_extra=OR_NOTHING,
    responses=problems(CrossOrigin, Unavailable) | {200: {"content": {"application/json": {"example": EXAMPLE_USER}}}},
)
async def read_session(cookie: OwnCookie, resources: Resources) -> User | None:
    """`null` if this browser is not signed in, or sends several cookies of the name."""
    session = await find_session(resources.users, token=cookie.token, now=resources.clock())
    return None if session is None else User(user_id=session.user_id, username=session.username)


@router.delete(
    "/session",
    summary="Sign out a browser",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[NO_STORE, SAME_ORIGIN, SESSION_COOKIE],
    openapi_extra=OR_NOTHING,
    responses=problems(CrossOrigin, Unavailable) | {204: {"headers": describe_headers("Set-Cookie")}},
)
async def sign_out(cookie: OwnCookie, resources: Resources) -> None:
    """204 also if it was not signed in. An access token stays valid until it runs out, after ten minutes at most."""
    await end_sessions(resources.users, tokens=cookie.tokens)
    cookie.clear()


@router.get("/{user_id}", summary="A player by id", responses=problems(NotFound, Invalid, Unavailable))
async def read_user(user_id: UserInPath, resources: Resources) -> User:
    """404 if there is no such player."""
    row = await queries.find_user(resources.users, user_id=user_id)
    if row is None:
        raise NotFound(f"There is no user {user_id}.")
    return User(user_id=row.user_id, username=row.username)


@router.delete(
    "/{user_id}",
    summary="End an account",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[NO_SERVER_TIMING],
    responses=problems(
        Unauthorized, Forbidden, PasswordWrong, NotFound, PasswordChanged, Invalid, TooMany, Unavailable
    ),
)
async def delete_user(
    caller: OwnerOrAdmin,
    user_id: UserInPath,
    resources: Resources,
    address: ClientAddress,
    end: AccountEnd = WITHOUT_PASSWORD,
) -> None:
    """One's own, with the password in a JSON body: 403 if that is wrong, and failures count as those of log-ins do.

    An administrator ends any account without it. Password and sessions are deleted, and the name: the id is then called
    `deleted player ID`, and its results stay. No other player can take the old name for a year. Access tokens stay
    valid until they run out. There is no way back; 404 if the account has ended already.
    """
    if Scope.ADMIN in caller.scopes:
        await end_account(resources, user_id, None)
    elif end.password is None:
        raise Invalid("body.password", "the password is needed to end one's own account")
    else:
        await end_account(resources, user_id, Proof(end.password.get_secret_value(), address))


@router.put(
    "/{user_id}/password",
    summary="Change a password",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[NO_SERVER_TIMING],
    responses=problems(
        Unauthorized, Forbidden, OldPasswordWrong, NotFound, PasswordChanged, Invalid, TooMany, Unavailable
    ),
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
    those who forgot theirs. All sessions of the player end; access tokens stay valid until they run out.
    """
    password = new.password.get_secret_value()
    if Scope.ADMIN in caller.scopes:
        password_hash = await resources.passwords.hash(password, address=address)
        store = partial(set_password, user_id=user_id, password_hash=password_hash)
        await resources.users.write(store, lock=(user_id,))
    elif new.old_password is None:
        raise Invalid("body.old_password", "the old password is needed to change one's own")
    else:
        change = Change(user_id, new.old_password.get_secret_value(), password, address)
        await change_own_password(resources, change)
