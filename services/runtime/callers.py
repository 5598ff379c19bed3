"""How a request shows who is calling: `Authorization: Bearer`, else the cookie of our own page."""

from collections.abc import Iterable

from starlette.requests import Request

from services.runtime.identity import Caller, Identities
from services.runtime.problems import Problem, not_authenticated
from services.runtime.tokens import TokenRefused

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def caller_of(
    request: Request, identities: Identities, *, own_origins: frozenset[str], impersonated_writes: bool = False
) -> Caller:
    """Return the caller; raises a 401 problem, or 403 for a write by cookie from a foreign page.

    Also 403 for any write of somebody who is signed in as another person, unless `impersonated_writes`.
    """
    caller = await _caller_of(request, identities, own_origins)
    if caller.impersonated and not impersonated_writes and request.method not in SAFE_METHODS:
        raise impersonation_read_only()
    return caller


async def _caller_of(request: Request, identities: Identities, own_origins: frozenset[str]) -> Caller:
    authorization = request.headers.get("authorization", "")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer" and token:
        try:
            return await identities.of_bearer(token.strip())
        except TokenRefused as error:
            raise refused_token(error) from None
    secret = None if authorization else request.cookies.get(identities.session_cookie)
    if secret:
        caller = await identities.of_session(secret)
        if caller is None:
            raise not_authenticated("session_expired", "the session is over; sign in again")
        if request.method not in SAFE_METHODS:
            check_origin(request, own_origins)
        return caller
    raise not_authenticated("auth_missing", "send an Authorization header with a bearer token")


def own_origins(public_url: str, others: Iterable[str] = ()) -> frozenset[str]:
    """Origins whose pages may write with our cookie; a machine that serves itself goes by both its names."""
    public_url = public_url.rstrip("/")
    own = {public_url, *others}
    for name, other in (("//127.0.0.1:", "//localhost:"), ("//localhost:", "//127.0.0.1:")):
        own.add(public_url.replace(name, other))
    return frozenset(own)


def check_origin(request: Request, own_origins: frozenset[str]) -> None:
    """Raise a 403 problem unless a page of ours sends this; a browser that names no origin says so otherwise."""
    origin = request.headers.get("origin")
    ours = request.headers.get("sec-fetch-site") == "same-origin" if origin is None else origin in own_origins
    if not ours:
        raise Problem(403, "origin_not_allowed", "a page of another site may not act with this cookie")


def impersonation_read_only() -> Problem:
    """Build the answer to a write of somebody who is signed in as another person."""
    return Problem(
        403,
        "impersonation_read_only",
        "whoever is signed in as another person may look and change nothing; "
        "an operator can allow it with SORAMI_ALLOW_IMPERSONATED_WRITES",
    )


def refused_token(error: TokenRefused) -> Problem:
    """Build the answer to a token that is not believed."""
    if error.status == 401:
        return not_authenticated(error.code, error.detail)
    return Problem(
        error.status, error.code, error.detail, headers={"Retry-After": "2"} if error.status == 503 else None
    )
