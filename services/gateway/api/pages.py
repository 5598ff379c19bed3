"""The page and the documentation: static files under a strict policy, compressed, and kept by browsers for good."""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.api.page_files import STATIC, PageFile, PageFiles
from services.gateway.parts import Parts
from services.runtime.problems import Problem

PAGES = {
    "/": "index.html",
    "/generate-images": "index.html",
    "/generate-videos": "index.html",
    "/gallery": "index.html",
    "/albums": "index.html",
    "/settings": "index.html",
    "/operate": "index.html",
    "/docs": "docs.html",
}
# What is no page runs nothing and may load nothing.
_OF_FILES = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
# There are sixty of them, and what is kept for good is never asked about again: no tag, no policy of a page.
_FOR_GOOD = {"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=31536000, immutable"}


def security_headers(parts: Parts) -> dict[str, str]:
    """Return the headers of every page: no inline script, no foreign source but the media's own."""
    media_origin = parts.signer.origin
    # Who came over https is told to stay there; a machine that serves itself has nothing but http.
    stay = {"Strict-Transport-Security": "max-age=31536000"} if parts.public_url.startswith("https://") else {}
    return stay | {
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


def serve(request: Request, file: PageFile, headers: Mapping[str, str], *, tagged: bool = True) -> Response:
    """Answer with a file, compressed where the browser reads that; with 304 when it has this very version."""
    packed = file.packed is not None and "gzip" in request.headers.get("accept-encoding", "")
    sent = {**headers, "Vary": "Accept-Encoding"}
    if tagged:
        sent["ETag"] = file.packed_etag if packed else file.etag
        if request.headers.get("if-none-match") == sent["ETag"]:
            return Response(status_code=304, headers=sent)
    if packed:
        return Response(file.packed, headers=sent | {"Content-Encoding": "gzip"}, media_type=file.media_type)
    return Response(file.content, headers=sent, media_type=file.media_type)


def _page_route(files: PageFiles, name: str, headers: Mapping[str, str]) -> Callable[[Request], Awaitable[Response]]:
    # The route takes the request alone: any further parameter would be read from the address.
    async def page(request: Request) -> Response:
        return serve(request, files.page(name), headers)

    return page


def page_router(parts: Parts) -> APIRouter:
    """Make the pages, /static/… and /static/<version>/…, which a browser need never ask for again."""
    router = APIRouter(include_in_schema=False)
    headers = security_headers(parts)
    files = PageFiles(STATIC)

    for path, name in PAGES.items():
        router.add_api_route(path, _page_route(files, name, headers), methods=["GET", "HEAD"])

    @router.get("/static/{path:path}")
    async def static(path: str, request: Request) -> Response:
        version, _, rest = path.partition("/")
        # A page of another version (while one is replaced by the next) gets what there is, and does not keep it.
        named = files.is_version(version)
        file = files.get(rest if named else path)
        if file is None:
            raise Problem(404, "not_found", "there is nothing at this address")
        if named and version == files.version:
            return serve(request, file, _FOR_GOOD, tagged=False)
        return serve(request, file, _OF_FILES)

    return router
