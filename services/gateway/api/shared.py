"""What a share link shows to whoever has it: a page, its data and its files. Every request asks the database anew."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from contracts.events import as_utc
from services.gateway.api import gallery_schemas, schemas
from services.gateway.api.gallery import Paging
from services.gateway.api.parameters import parameters_of
from services.gateway.parts import Parts
from services.gateway.queries.generations import FileView, GenerationView
from services.gateway.queries.library import OpenShare
from services.gateway.usecases.read_shared_media import MediaUnavailable
from services.gateway.usecases.share_media import (
    UNLOCKED_SECONDS,
    Locked,
    MediaGone,
    ShareNotFound,
    ShareOver,
    TooManyAttempts,
    WrongPassword,
)
from services.runtime.bodies import Body, read_body, read_query
from services.runtime.cursors import DEFAULT, read_cursor, read_limit, write_cursor
from services.runtime.problems import Problem, problem_response

PAGE = Path(__file__).parent.parent / "static" / "shared.html"
COOKIE = "sorami_share"
_HEADERS = {
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # No copy outlives the share: not in a browser, not on the way.
    "Cache-Control": "no-store",
}
_PAGE_HEADERS = _HEADERS | {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_MEDIA_HEADERS = _HEADERS | {"Content-Security-Policy": "default-src 'none'; sandbox"}


class Unlock(Body):
    """The password of a share."""

    password: Annotated[str, Field(max_length=200)]


def _problem(error: Exception) -> Problem:
    match error:
        case ShareOver():
            return Problem(410, "share_over", "this link has ended; ask its owner for another", headers=_HEADERS)
        case Locked():
            return Problem(401, "share_locked", "this link wants a password; send it to …/unlock", headers=_HEADERS)
        case WrongPassword():
            return Problem(403, "password_wrong", "the password is wrong", headers=_HEADERS)
        case TooManyAttempts(seconds=seconds):
            wait = {"Retry-After": str(max(1, round(seconds)))}
            return Problem(429, "too_many_attempts", "the password was tried too often; wait", headers=_HEADERS | wait)
        case MediaUnavailable():
            return Problem(
                503,
                "media_unavailable",
                "the file cannot be read now; try again",
                headers=_HEADERS | {"Retry-After": "2"},
            )
        case MediaGone():
            return Problem(404, "media_not_found", "there is no file at this address", headers=_HEADERS)
        case _:
            return Problem(404, "share_not_found", "there is no share of this id or address", headers=_HEADERS)


_EXPECTED = (ShareNotFound, ShareOver, Locked, WrongPassword, TooManyAttempts, MediaUnavailable, MediaGone)
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The bytes", "content": {"application/octet-stream": {}}},
    206: {"description": "Some of the bytes", "content": {"application/octet-stream": {}}},
    416: {"description": "There are no such bytes"},
}


def shared_router(parts: Parts) -> APIRouter:
    """Make GET /s/<token> and the routes under /api/shared/<token>; the token is the permission."""
    router = APIRouter(tags=["shared"])

    @router.get("/s/{token}", include_in_schema=False)
    async def page(token: str) -> Response:
        status = 200
        try:
            await parts.shares.find(token)
        except (ShareNotFound, ShareOver) as error:
            # The page says in the reader's language what the status says to machines.
            status = _problem(error).status
        return Response(PAGE.read_bytes(), status_code=status, media_type="text/html", headers=_PAGE_HEADERS)

    @router.get(
        "/api/shared/{token}",
        summary="See what a share shows",
        operation_id="get_shared",
        responses=gallery_schemas.says(200, "What it shows", gallery_schemas.SharedBody)
        | schemas.problems(400, 401, 404, 410, 422, 503),
        openapi_extra={"parameters": parameters_of(Paging)},
    )
    async def shared(token: str, request: Request) -> Response:
        query = read_query(request, Paging)
        limit = read_limit(query.limit) or DEFAULT
        try:
            found = await parts.shares.look(token, request.cookies.get(COOKIE))
        except _EXPECTED as error:
            raise _problem(error) from None
        position = read_cursor(query.cursor, found.id, datetime, str)
        after = (position[0], position[1]) if position else None
        page = await parts.shares.items(found, after=after, limit=limit)
        cursor = write_cursor(found.id, *page.after) if page.after else None
        body = {
            "title": found.album_name,
            "expiresAt": as_utc(found.expires_at) if found.expires_at else None,
            "items": [_item_body(item, found, token) for item in page.items],
            "nextCursor": cursor,
        }
        return JSONResponse(body, headers=_HEADERS)

    @router.post(
        "/api/shared/{token}/unlock",
        status_code=204,
        summary="Open a share by its password, for an hour",
        operation_id="unlock_shared",
        responses=gallery_schemas.says(204, "A cookie opens it")
        | schemas.problems(400, 403, 404, 410, 413, 415, 422, 429, 503),
        openapi_extra={"requestBody": schemas.json_body(Unlock)},
    )
    async def unlock(token: str, request: Request) -> Response:
        body = await read_body(request, Unlock)
        try:
            key = await parts.shares.unlock(token, body.password)
        except _EXPECTED as error:
            raise _problem(error) from None
        answer = Response(status_code=204, headers=_HEADERS)
        if key:
            answer.set_cookie(
                COOKIE,
                key,
                max_age=UNLOCKED_SECONDS,
                path=f"/api/shared/{quote(token, safe='')}",
                httponly=True,
                samesite="lax",
                secure=parts.public_url.startswith("https://"),
            )
        return answer

    @router.get(
        "/api/shared/{token}/media/{file_id}/{filename}",
        summary="Show a file of a share",
        operation_id="get_shared_media",
        responses=_BYTES | schemas.problems(401, 404, 410, 503),
    )
    async def media(token: str, file_id: str, filename: str, request: Request) -> Response:
        try:
            found = await parts.shares.look(token, request.cookies.get(COOKIE))
            opened = await parts.shares.media(found, file_id, filename, request.headers)
        except _EXPECTED as error:
            return problem_response(_problem(error))
        headers: Mapping[str, str] = opened.headers | _MEDIA_HEADERS
        return StreamingResponse(opened.chunks, status_code=opened.status, headers=headers)

    return router


def _item_body(item: GenerationView, found: OpenShare, token: str) -> dict[str, Any]:
    return {
        "kind": item.kind.name,
        "createdAt": as_utc(item.created_at),
        "prompt": item.prompt if found.show_prompt else None,
        "files": [_file_body(file, token) for file in item.files],
    }


def _file_body(file: FileView, token: str) -> dict[str, Any]:
    base = f"/api/shared/{quote(token, safe='')}/media/{quote(file.id, safe='')}"
    thumbnails = [
        {key: item.get(key) for key in ("width", "height", "format")}
        | {"url": f"{base}/thumb_{item.get('width')}.{str(item.get('format')).lower()}"}
        for item in file.thumbnails or ()
    ]
    poster = file.extra.get("thumbnailUrl")
    return {
        "url": f"{base}/{quote(file.filename, safe='')}",
        "format": file.format,
        "width": file.width,
        "height": file.height,
        "thumbnailUrl": f"{base}/{quote(str(poster).rpartition('/')[2], safe='.%')}" if poster else None,
        "thumbnails": thumbnails,
        "placeholder": file.placeholder,
    }
