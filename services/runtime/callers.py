"""How a request shows who is calling: `Authorization: Bearer`, else the cookie of our own page."""

from collections.abc import Iterable

from starlette.requests import Request

from services.runtime.identity import SESSION_COOKIE, Caller, Identities
from services.runtime.problems import Problem, not_authenticated
from services.runtime.tokens import TokenRefused

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def caller_of(request: Request, identities: Identities, *, own_origins: frozenset[str]) -> Caller:
    """Return the caller; raises a 401 problem, or 403 for a write by cookie from a foreign page."""
    authorization = request.headers.get("authorization", "")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer" and token:
        try:
            return await identities.of_bearer(token.strip())
        except TokenRefused as error:
            raise not_authenticated(error.code, error.detail) from None
    secret = request.cookies.get(SESSION_COOKIE)
    if secret and not authorization:
        caller = await identities.of_session(secret)
        if caller is None:
            raise not_authenticated("session_expired", "the session is over; sign in again")
        if request.method not in _SAFE_METHODS and request.headers.get("origin") not in own_origins:
            raise Problem(403, "origin_not_allowed", "a page of another site may not act with this cookie")
        return caller
    raise not_authenticated("auth_missing", "send an Authorization header with a bearer token")


def own_origins(public_url: str, others: Iterable[str] = ()) -> frozenset[str]:
    """Origins whose pages may write with our cookie; a machine that serves itself goes by both its names."""
    public_url = public_url.rstrip("/")
    own = {public_url, *others}
    for name, other in (("//127.0.0.1:", "//localhost:"), ("//localhost:", "//127.0.0.1:")):
        own.add(public_url.replace(name, other))
    return frozenset(own)
