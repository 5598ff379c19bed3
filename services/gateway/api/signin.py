"""Signing in and out of our page: at the OIDC provider, with an API key, or by the local one-use link."""

import html
import re

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse
from pydantic import Field
from starlette.responses import Response

from contracts.ids import new_token
from services.gateway.api import schemas
from services.gateway.api.page_files import STATIC
from services.gateway.api.pages import PAGES, security_headers
from services.gateway.parts import Parts
from services.gateway.usecases import open_session as sessions
from services.gateway.usecases.open_session import OpenedSession, TicketUsed
from services.gateway.usecases.sign_in_at_provider import STATE_SECONDS, StateUnknown
from services.runtime.bodies import Body, read_body
from services.runtime.callers import check_origin, refused_token
from services.runtime.identity import cookie_name, session_cookie
from services.runtime.oidc import ProviderAway, SignInRefused
from services.runtime.problems import Problem
from services.runtime.tokens import TokenRefused

_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")
_NEVER_KEPT = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class KeyGiven(Body):
    """The API key to sign in with."""

    key: str = Field(min_length=1, max_length=200)


def signin_router(parts: Parts) -> APIRouter:  # noqa: C901 - five routes, each a few lines
    """Make /signin, /signin/oidc, /signin/callback, /signin/key and /signout."""
    router = APIRouter(tags=["identity"])
    door = _Door(parts)

    @router.get("/signin", include_in_schema=False)
    async def signin(request: Request) -> Response:
        ticket = request.query_params.get("ticket")
        if ticket is None:
            return door.page()
        if parts.verifier is None:
            raise Problem(503, "token_issuer_unset", "no token issuer is configured")
        try:
            session = await sessions.open_session_by_ticket(
                parts.pool, parts.verifier, parts.identities, ticket, replaces=door.session_of(request)
            )
        except (TokenRefused, TicketUsed):
            return FileResponse(
                STATIC / "signin-over.html", status_code=401, media_type="text/html", headers=door.headers
            )
        return door.let_in(session, "/")

    @router.get("/signin/oidc", include_in_schema=False)
    async def begin(request: Request) -> Response:
        if parts.sign_in_at_provider is None:
            return door.page(404, "signin_unset")
        wanted = request.query_params.get("return_to", "/")
        return_to = wanted if wanted in PAGES else "/"
        if request.url.netloc != parts.public_url.partition("://")[2]:
            # Another name of this machine: the cookie must be of the name that the provider sends the browser back to.
            return RedirectResponse(f"{parts.public_url}/signin/oidc?return_to={return_to}", status_code=303)
        browser = door.browser_of(request) or new_token(24)
        try:
            address = await parts.sign_in_at_provider.begin(browser, return_to)
        except ProviderAway:
            return door.page(503, "signin_unavailable")
        answer = RedirectResponse(address, status_code=303, headers=_NEVER_KEPT)
        door.set_cookie(answer, door.browser_cookie, browser, STATE_SECONDS)
        return answer

    @router.get("/signin/callback", include_in_schema=False)
    async def callback(request: Request) -> Response:
        if parts.sign_in_at_provider is None:
            return door.page(404, "signin_unset")
        try:
            done = await parts.sign_in_at_provider.finish(
                door.browser_of(request) or "", dict(request.query_params), replaces=door.session_of(request)
            )
        except StateUnknown:
            return door.page(400, "signin_state_unknown")
        except ProviderAway:
            return door.page(503, "signin_unavailable")
        except SignInRefused:
            return door.page(401, "signin_refused")
        except TokenRefused as error:
            return door.page(error.status, "signin_unavailable" if error.status == 503 else "signin_refused")
        return door.let_in(done.session, done.return_to)

    @router.post(
        "/signin/key",
        status_code=204,
        summary="Sign our page in with an API key",
        operation_id="sign_in_with_key",
        responses=schemas.problems(400, 401, 403, 413, 415, 422, 503)
        | {204: {"description": "Signed in: the cookie is set, and may do what the key may"}},
        openapi_extra={"requestBody": schemas.json_body(KeyGiven)},
    )
    async def with_key(request: Request) -> Response:
        check_origin(request, parts.own_origins)
        if parts.sign_in_at_provider is not None:
            raise Problem(403, "key_signin_disabled", "people sign in at the identity provider here; see /signin")
        given = await read_body(request, KeyGiven)
        try:
            session = await sessions.open_session_by_key(
                parts.pool, parts.identities, given.key.strip(), replaces=door.session_of(request)
            )
        except TokenRefused as error:
            raise refused_token(error) from None
        answer = Response(status_code=204, headers=_NEVER_KEPT)
        door.set_cookie(answer, door.session_cookie, session.secret, session.seconds)
        return answer

    @router.post(
        "/signout",
        status_code=204,
        summary="Sign our page out",
        operation_id="sign_out",
        responses=schemas.problems(403, 503)
        | {204: {"description": "The session is over; without one nothing changes"}},
    )
    async def signout(request: Request) -> Response:
        check_origin(request, parts.own_origins)
        secret = door.session_of(request)
        if secret:
            await sessions.close_session(parts.pool, secret)
        answer = Response(status_code=204, headers=_NEVER_KEPT)
        door.set_cookie(answer, door.session_cookie, "", 0)
        return answer

    return router


class _Door:
    """The sign-in page and the two cookies: who this browser is, and the session."""

    def __init__(self, parts: Parts) -> None:
        self._secure = parts.public_url.startswith("https://")
        self.session_cookie = session_cookie(parts.public_url)
        self.browser_cookie = cookie_name(parts.public_url, "sorami_signin")
        # Not "no-referrer": a browser would then name no origin when the page signs in.
        self.headers = security_headers(parts) | {"Cache-Control": "no-store"}
        ways = ["oidc"] if parts.sign_in_at_provider is not None else ["key"]
        if parts.settings.environment != "production":
            ways.append("link")
        self._page = (STATIC / "signin.html").read_text(encoding="utf-8").replace("{ways}", " ".join(ways))

    def page(self, status: int = 200, problem: str = "") -> Response:
        """Answer with the sign-in page, which says the problem in the person's language."""
        return Response(
            self._page.replace("{problem}", html.escape(problem)), status, media_type="text/html", headers=self.headers
        )

    def let_in(self, session: OpenedSession, path: str) -> Response:
        """Send the browser to a page of ours with its new session."""
        answer = RedirectResponse(path, status_code=303, headers=_NEVER_KEPT)
        self.set_cookie(answer, self.session_cookie, session.secret, session.seconds)
        self.set_cookie(answer, self.browser_cookie, "", 0)
        return answer

    def set_cookie(self, answer: Response, name: str, value: str, seconds: int) -> None:
        answer.set_cookie(name, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=self._secure)

    def session_of(self, request: Request) -> str | None:
        return request.cookies.get(self.session_cookie)

    def browser_of(self, request: Request) -> str | None:
        secret = request.cookies.get(self.browser_cookie, "")
        return secret if _TOKEN.fullmatch(secret) else None
