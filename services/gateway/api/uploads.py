"""Uploads: a signed form to send bytes with, and what became of them."""

import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field
from starlette.responses import Response

from contracts.events import as_utc
from contracts.faults import fault
from contracts.ids import is_safe_id
from contracts.scopes import Scope
from services.gateway.api import schemas
from services.gateway.api.callers import caller
from services.gateway.parts import Parts
from services.gateway.queries import uploads
from services.gateway.queries.uploads import Upload
from services.gateway.usecases.begin_upload import Announced, Begun, UploadLimitReached
from services.gateway.usecases.finish_upload import UploadRefused, UploadUnfinished
from services.runtime.bodies import Body, read_body
from services.runtime.cursors import DEFAULT, cut_page, read_cursor, read_limit
from services.runtime.problems import Problem

MOST_BYTES = 10 * 1024 * 1024
TYPES = ("image/png", "image/jpeg", "image/webp")


def _type(text: str) -> str:
    if text not in TYPES:
        raise fault("content_type_not_allowed", f"content_type must be one of {', '.join(TYPES)}")
    return text


def _hash(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise fault("sha256_invalid", "sha256 must be 64 hexadecimal digits in lower case")
    return text


def _filename(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise fault("filename_invalid", "filename must be a readable name, or left out")
    return text


class UploadRequest(Body):
    """What will be uploaded."""

    content_type: Annotated[
        str, Field(max_length=100), AfterValidator(_type), Field(json_schema_extra={"enum": list(TYPES)})
    ]
    size_bytes: int = Field(ge=1, le=MOST_BYTES, description="The exact size of the file.")
    sha256: Annotated[str, AfterValidator(_hash)] = Field(
        description="SHA-256 of the file in hex; the same bytes are stored once.",
        json_schema_extra={"pattern": "^[0-9a-f]{64}$"},
    )
    filename: Annotated[str, Field(max_length=255), AfterValidator(_filename)] | None = None


class UploadBegun(BaseModel):
    """Where to send the bytes: POST `fields` and then `file` to `url` as multipart/form-data."""

    upload_id: str
    exists: bool = Field(description="True when these bytes are here already; then there is nothing to send.")
    url: str | None = None
    fields: dict[str, str] | None = None
    expires_at: str | None = Field(default=None, description="Until when the form may be used.")


class UploadBody(BaseModel):
    """An upload."""

    upload_id: str
    input_image_url: str = Field(description="What a request for media names it by.")
    state: str = Field(description="`waiting` until its bytes were checked, then `ready`.")
    filename: str | None
    content_type: str
    size_bytes: int
    sha256: str
    created_at: str
    completed_at: str | None


class Uploads(BaseModel):
    """Uploads, newest first."""

    count: int
    uploads: list[UploadBody]
    nextCursor: str | None


def _body(upload: Upload) -> dict[str, Any]:
    return {
        "upload_id": upload.id,
        "input_image_url": f"upload:{upload.id}",
        "state": upload.state,
        "filename": upload.filename,
        "content_type": upload.content_type,
        "size_bytes": upload.size_bytes,
        "sha256": upload.sha256,
        "created_at": as_utc(upload.created_at),
        "completed_at": as_utc(upload.completed_at) if upload.completed_at else None,
    }


def _begun(begun: Begun) -> dict[str, Any]:
    body: dict[str, Any] = {"upload_id": begun.upload.id, "exists": begun.form is None}
    if begun.form is not None:
        body |= {"url": begun.form.url, "fields": begun.form.fields, "expires_at": as_utc(begun.form.expires_at)}
    return body


def _not_found() -> Problem:
    return Problem(404, "upload_not_found", "there is no upload of this id among yours")


def upload_router(parts: Parts) -> APIRouter:  # noqa: C901 - five routes, each a few lines
    """Make the routes under /api/uploads."""
    router = APIRouter(prefix="/api/uploads", tags=["uploads"])

    @router.post(
        "",
        status_code=201,
        summary="Begin an upload",
        operation_id="begin_upload",
        responses=schemas.answers(
            {
                200: {"model": UploadBegun, "description": "These bytes are here already"},
                201: {"model": UploadBegun, "description": "A form to send the bytes with"},
            },
            400,
            401,
            403,
            413,
            415,
            422,
            429,
            503,
        ),
        openapi_extra={"requestBody": schemas.json_body(UploadRequest)},
    )
    async def begin(request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        wanted = await read_body(request, UploadRequest)
        try:
            begun = await parts.media.begin_upload(
                asking.user_id, Announced(wanted.content_type, wanted.size_bytes, wanted.sha256, wanted.filename)
            )
        except UploadLimitReached as error:
            raise Problem(
                429, "upload_limit_reached", str(error), headers={"Retry-After": str(error.retry_after)}
            ) from None
        headers = {"Location": f"/api/uploads/{begun.upload.id}", "Cache-Control": "no-store"}
        return JSONResponse(_begun(begun), status_code=200 if begun.form is None else 201, headers=headers)

    @router.get(
        "",
        summary="List my uploads",
        operation_id="list_uploads",
        responses=schemas.answers({200: {"model": Uploads, "description": "Newest first"}}, 400, 401, 403, 422, 503),
        openapi_extra={"parameters": schemas.PAGING},
    )
    async def listed(request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.MEDIA_READ)
        limit = read_limit(request.query_params.get("limit")) or DEFAULT
        before = read_cursor(request.query_params.get("cursor"), asking.user_id, datetime, str)
        found = await uploads.uploads(parts.own(asking.user_id), before=before, limit=limit + 1)
        page, cursor = cut_page(found, limit, asking.user_id, lambda row: (row.created_at, row.id))
        return JSONResponse({"count": len(page), "uploads": [_body(one) for one in page], "nextCursor": cursor})

    async def own(upload_id: str, request: Request, scope: Scope) -> Upload:
        asking = await caller(parts, request, scope)
        found = await uploads.upload(parts.own(asking.user_id), upload_id) if is_safe_id(upload_id) else None
        if found is None:
            raise _not_found()
        return found

    @router.get(
        "/{upload_id}",
        summary="See an upload",
        operation_id="get_upload",
        responses=schemas.answers({200: {"model": UploadBody, "description": "The upload"}}, 401, 403, 404, 503),
    )
    async def one(upload_id: str, request: Request) -> JSONResponse:
        return JSONResponse(_body(await own(upload_id, request, Scope.MEDIA_READ)))

    @router.post(
        "/{upload_id}/complete",
        summary="Check that the bytes arrived",
        operation_id="complete_upload",
        description="Optional: an upload is checked before its first use in any case.",
        responses=schemas.answers(
            {200: {"model": UploadBody, "description": "The upload is ready"}}, 401, 403, 404, 409, 422, 503
        ),
    )
    async def complete(upload_id: str, request: Request) -> JSONResponse:
        found = await own(upload_id, request, Scope.MEDIA_WRITE)
        try:
            return JSONResponse(_body(await parts.media.finish_upload(found)))
        except UploadUnfinished:
            raise Problem(409, "upload_unfinished", "the bytes have not arrived; send them first") from None
        except UploadRefused as error:
            raise Problem(422, error.code, error.detail) from None

    @router.delete(
        "/{upload_id}",
        status_code=204,
        summary="Remove an upload",
        operation_id="delete_upload",
        responses=schemas.answers({204: {"description": "It is gone"}}, 401, 403, 404, 503),
    )
    async def remove(upload_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        if not is_safe_id(upload_id) or not await parts.media.sweep_uploads.remove(upload_id, asking.user_id):
            raise _not_found()
        return Response(status_code=204)

    return router
