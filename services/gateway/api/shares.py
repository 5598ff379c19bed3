"""Share links as their owners make, list and revoke them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field, model_validator
from starlette.responses import Response

from contracts.faults import fault
from contracts.scopes import Scope
from services.gateway.api import gallery_schemas, schemas
from services.gateway.api.albums import album_not_found
from services.gateway.api.callers import caller
from services.gateway.api.etags import answer
from services.gateway.api.favourites import AnyId
from services.gateway.api.gallery import Paging, generation_not_found
from services.gateway.api.gallery_shapes import share_body
from services.gateway.api.parameters import parameters_of
from services.gateway.parts import Parts
from services.gateway.queries import library
from services.gateway.queries.generations import ALWAYS
from services.gateway.usecases.keep_media import AlbumNotFound, GenerationNotFound
from services.gateway.usecases.share_media import ShareNotFound
from services.runtime.bodies import Body, read_body, read_query
from services.runtime.cursors import DEFAULT, cut_page, read_cursor, read_limit
from services.runtime.problems import Problem

LONGEST_SECONDS = 10 * 365 * 86_400


SHORTEST_PASSWORD = 4


def _new_password(text: str) -> str:
    if len(text) < SHORTEST_PASSWORD:
        raise fault("password_too_short", f"password needs at least {SHORTEST_PASSWORD} characters")
    return text


class NewShare(Body):
    """A new share of one generation or of one album."""

    generation_id: AnyId | None = None
    album_id: AnyId | None = None
    expires_in_seconds: Annotated[int, Field(ge=1, le=LONGEST_SECONDS)] | None = Field(
        default=None, description="For how long; without end when absent, until it is revoked."
    )
    password: Annotated[str, Field(max_length=200), AfterValidator(_new_password)] | None = None
    show_prompt: bool = Field(default=False, description="Whether visitors read the prompt.")

    @model_validator(mode="after")
    def _one_subject(self) -> "NewShare":
        if (self.generation_id is None) == (self.album_id is None):
            raise fault("share_subject_unclear", "name either generation_id or album_id")
        return self


def share_router(parts: Parts) -> APIRouter:
    """Make the routes under /api/shares."""
    router = APIRouter(prefix="/api/shares", tags=["shares"])

    @router.post(
        "",
        status_code=201,
        summary="Share a generation or an album by a link",
        operation_id="create_share",
        responses=gallery_schemas.says(201, "The link, told this once", gallery_schemas.NewShareBody)
        | schemas.problems(400, 401, 403, 404, 413, 415, 422, 503),
        openapi_extra={"requestBody": schemas.json_body(NewShare)},
    )
    async def make(request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        body = await read_body(request, NewShare)
        try:
            share, token = await parts.shares.share(
                asking,
                generation_id=body.generation_id,
                album_id=body.album_id,
                seconds=body.expires_in_seconds,
                password=body.password,
                show_prompt=body.show_prompt,
            )
        except GenerationNotFound:
            raise generation_not_found() from None
        except AlbumNotFound:
            raise album_not_found() from None
        return JSONResponse(
            share_body(share) | {"url": f"{parts.public_url}/s/{token}"},
            status_code=201,
            headers={"Location": f"/api/shares/{share.id}", "Cache-Control": "no-store"},
        )

    @router.get(
        "",
        summary="List my shares",
        operation_id="list_shares",
        responses=gallery_schemas.says(200, "Newest first", gallery_schemas.SharePage)
        | schemas.NOT_MODIFIED
        | schemas.problems(400, 401, 403, 422, 503),
        openapi_extra={"parameters": parameters_of(Paging)},
    )
    async def listed(request: Request) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_READ)
        query = read_query(request, Paging)
        limit = read_limit(query.limit) or DEFAULT
        after = read_cursor(query.cursor, asking.user_id, datetime, str) or (ALWAYS, "")
        rows = await library.shares(parts.own(asking.user_id), (after[0], after[1]), limit + 1)
        shown, cursor = cut_page(rows, limit, asking.user_id, lambda row: (row.created_at, row.id))
        return answer(request, {"shares": [share_body(row) for row in shown], "nextCursor": cursor})

    @router.delete(
        "/{share_id}",
        status_code=204,
        summary="Revoke a share at once",
        operation_id="revoke_share",
        responses=gallery_schemas.says(204, "It shows nothing any more") | schemas.problems(401, 403, 404, 503),
    )
    async def revoke(share_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        try:
            await parts.shares.revoke(asking, share_id)
        except ShareNotFound:
            raise Problem(404, "share_not_found", "there is no share of this id or address") from None
        return Response(status_code=204)

    return router
