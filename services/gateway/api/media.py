"""The lasting address of every file: it redirects to an object address signed for minutes."""

import re

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from contracts.media import POSTER_EXTENSION, thumbnail_name
from services.gateway.api import schemas
from services.gateway.parts import Parts
from services.gateway.queries import files
from services.runtime.problems import Problem
from services.runtime.signed_urls import LIFETIME_SECONDS

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
# The signed address names the type itself; whatever the bytes are, a browser neither guesses nor runs them.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}


def media_router(parts: Parts) -> APIRouter:
    """Make GET /media/<token>/<filename>; the token is the permission, so no sign-in is asked."""
    router = APIRouter(prefix="/media", tags=["media"])

    @router.head("/{token}/{filename}", include_in_schema=False)
    @router.get(
        "/{token}/{filename}",
        summary="Show a file",
        operation_id="get_media",
        status_code=302,
        responses=schemas.problems(404, 410, 503) | {302: {"description": "To the object, signed for minutes"}},
    )
    async def media(token: str, filename: str, request: Request) -> RedirectResponse:
        try:
            file = await files.file_by_token(parts.pool, token) if _TOKEN.fullmatch(token) else None
        except files.MediaGone:
            raise Problem(410, "media_deleted", "this file was deleted") from None
        if file is None:
            return await _preview(parts, token, filename)
        return RedirectResponse(
            _target(parts, file, filename, attachment="download" in request.query_params),
            status_code=302,
            # The browser may reuse the redirect while the signed address surely still works.
            headers={**_HEADERS, "Cache-Control": f"private, max-age={LIFETIME_SECONDS // 2}"},
        )

    return router


async def _preview(parts: Parts, token: str, filename: str) -> RedirectResponse:
    """Show what lies behind the address of an unfinished picture: always the newest of its job."""
    key = await files.preview_by_token(parts.pool, token) if _TOKEN.fullmatch(token) else None
    if key is None:
        raise Problem(404, "media_not_found", "there is no file at this address")
    target = parts.signer.sign(key, content_type="image/webp", filename=filename)
    return RedirectResponse(target, status_code=302, headers={**_HEADERS, "Cache-Control": "no-store"})


def _target(parts: Parts, file: files.StoredFile, filename: str, *, attachment: bool) -> str:
    for small in file.thumbnails:
        if filename == thumbnail_name(small["width"], small["format"]):
            return parts.signer.sign(
                small["key"],
                content_type=f"image/{small['format'].lower()}",
                filename=filename,
                attachment=attachment,
            )
    wants_poster = filename.endswith(f".{POSTER_EXTENSION}") and filename != file.filename
    if wants_poster and file.thumbnail_key:
        return parts.signer.sign(
            file.thumbnail_key, content_type="image/jpeg", filename=filename, attachment=attachment
        )
    if file.external_url is not None:
        return file.external_url
    return parts.signer.sign(
        file.storage_key or "", content_type=file.content_type, filename=file.filename, attachment=attachment
    )
