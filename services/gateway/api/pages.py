"""The page, the documentation and signing in: static files under a strict policy, and one cookie."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from starlette.responses import Response

from services.gateway.parts import Parts
from services.gateway.usecases.open_session import SESSION_SECONDS, TicketUsed, open_session
from services.runtime.callers import caller_of
from services.runtime.identity import SESSION_COOKIE
from services.runtime.problems import Problem
from services.runtime.tokens import TokenRefused

STATIC = Path(__file__).parent.parent / "static"
PAGES = {
    "/": "index.html",
    "/generate-images": "index.html",
    "/generate-videos": "index.html",
    "/gallery": "index.html",
    "/docs": "docs.html",
}
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".html": "text/html",
    ".png": "image/png",
}


def security_headers(media_origin: str) -> dict[str, str]:
    """Return the headers of every page: no inline script, no foreign source but the media's own."""
    return {
        "Content-Security-Policy": (
            f"default-src 'self'; img-src 'self' data: {media_origin}; media-src 'self' {media_origin}; "
            "style-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
            "frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Cache-Control": "no-cache",
    }


def page_router(parts: Parts) -> APIRouter:
    """Make the pages, /static/…, /signin, /signout and /api/me."""
    router = APIRouter(include_in_schema=False)
    headers = security_headers(parts.signer.origin)

    def page(name: str) -> Response:
        return FileResponse(STATIC / name, media_type="text/html", headers=headers)

    for path, name in PAGES.items():
        router.add_api_route(path, lambda name=name: page(name), methods=["GET", "HEAD"])

    @router.get("/static/{path:path}")
    async def static(path: str) -> Response:
        file = (STATIC / path).resolve()
        if not file.is_relative_to(STATIC.resolve()) or not file.is_file():
            raise Problem(404, "not_found", "there is nothing at this address")
        return FileResponse(file, media_type=_TYPES.get(file.suffix, "application/octet-stream"), headers=headers)

    @router.get("/signin")
    async def signin(ticket: str) -> Response:
        if parts.verifier is None:
            raise Problem(503, "token_issuer_unset", "no token issuer is configured")
        try:
            secret = await open_session(parts.pool, parts.verifier, ticket)
        except (TokenRefused, TicketUsed):
            return FileResponse(STATIC / "signin-over.html", status_code=401, media_type="text/html", headers=headers)
        answer = RedirectResponse(
            "/", status_code=303, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        )
        answer.set_cookie(
            SESSION_COOKIE,
            secret,
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="lax",
            secure=parts.public_url.startswith("https://"),
        )
        return answer

    @router.get("/api/me")
    async def me(request: Request) -> JSONResponse:
        caller = await caller_of(request, parts.identities, own_origins=parts.own_origins)
        return JSONResponse({"user_id": caller.user_id, "organization_id": caller.organization_id})

    return router
