"""The page and the documentation: static files under a strict policy."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from starlette.responses import Response

from services.gateway.parts import Parts
from services.runtime.problems import Problem

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
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
}


def security_headers(media_origin: str) -> dict[str, str]:
    """Return the headers of every page: no inline script, no foreign source but the media's own."""
    return {
        "Content-Security-Policy": (
            f"default-src 'self'; img-src 'self' data: {media_origin}; media-src 'self' {media_origin}; "
            # Uploads go straight to the bucket.
            f"connect-src 'self' {media_origin}; "
            "style-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
            "frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Cache-Control": "no-cache",
    }


def _file_of(path: str) -> Path:
    """Return a file of the page; raises a 404 problem for whatever lies elsewhere."""
    try:
        file = (STATIC / path).resolve()
        found = file.is_relative_to(STATIC.resolve()) and file.is_file()
    except (ValueError, OSError):
        found = False
    if not found:
        raise Problem(404, "not_found", "there is nothing at this address")
    return file


def _serve(request: Request, file: Path, headers: Mapping[str, str]) -> Response:
    """Answer with a file, or with 304 when the browser has this very version."""
    media_type = _TYPES.get(file.suffix, "application/octet-stream")
    answer = FileResponse(file, media_type=media_type, headers=headers, stat_result=file.stat())
    if request.headers.get("if-none-match") == answer.headers["etag"]:
        return Response(status_code=304, headers={**headers, "ETag": answer.headers["etag"]})
    return answer


def _page_route(file: Path, headers: Mapping[str, str]) -> Callable[[Request], Awaitable[Response]]:
    # The route takes the request alone: any further parameter would be read from the address.
    async def page(request: Request) -> Response:
        return _serve(request, file, headers)

    return page


def page_router(parts: Parts) -> APIRouter:
    """Make the pages and /static/…."""
    router = APIRouter(include_in_schema=False)
    headers = security_headers(parts.signer.origin)

    for path, name in PAGES.items():
        router.add_api_route(path, _page_route(STATIC / name, headers), methods=["GET", "HEAD"])

    @router.get("/static/{path:path}")
    async def static(path: str, request: Request) -> Response:
        return _serve(request, _file_of(path), headers)

    return router
