"""Albums: made, named, filled, emptied and listed; an item is in as many albums as one likes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field, model_validator
from starlette.responses import Response

from contracts.faults import fault
from contracts.scopes import Scope
from services.gateway.api import gallery_schemas, schemas
from services.gateway.api.callers import caller
from services.gateway.api.etags import answer
from services.gateway.api.favourites import BULK_LIMIT, AnyId, BulkIds, Ids, change_body
from services.gateway.api.gallery import Paging, answer_page, generation_not_found
from services.gateway.api.gallery_shapes import album_body
from services.gateway.api.parameters import parameters_of
from services.gateway.parts import Parts
from services.gateway.queries import gallery, library
from services.gateway.queries.gallery import Filters
from services.gateway.queries.generations import ALWAYS
from services.gateway.queries.library import AlbumView
from services.gateway.usecases import keep_media
from services.gateway.usecases.keep_media import AlbumNotFound, CoverNotInAlbum
from services.runtime.bodies import Body, read_body, read_query
from services.runtime.cursors import DEFAULT, cut_page, read_cursor, read_limit
from services.runtime.problems import Problem


def _line(text: str) -> str:
    if not text.strip():
        raise fault("name_empty", "name is empty; say how the album is called")
    return _readable(text)


def _readable(text: str) -> str:
    if any(not letter.isprintable() and letter not in "\n\t" for letter in text):
        raise fault("text_control_character", "the text holds a control character; remove it")
    return text


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_line)]
Description = Annotated[str, Field(max_length=2_000), AfterValidator(_readable)]


class NewAlbum(Body):
    """A new album."""

    name: Name
    description: Description | None = None
    items: Ids = Field(default=[])


class AlbumChange(Body):
    """What to change of an album; what is left out stays, null empties."""

    name: Name | None = None
    description: Description | None = None
    cover_id: AnyId | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "AlbumChange":
        if not self.model_fields_set:
            raise fault("change_empty", "name at least one of name, description and cover_id")
        if "name" in self.model_fields_set and self.name is None:
            raise fault("name_empty", "name is empty; say how the album is called")
        return self


def album_not_found() -> Problem:
    """Build the one answer for "not there" and "not yours"."""
    return Problem(404, "album_not_found", "there is no album of this id among yours")


async def _found(parts: Parts, owner_id: str, album_id: str) -> AlbumView:
    try:
        return await keep_media.owned_album(parts.pool, owner_id, album_id)
    except AlbumNotFound:
        raise album_not_found() from None


def album_router(parts: Parts) -> APIRouter:
    """Make the routes under /api/albums."""
    router = APIRouter(prefix="/api/albums", tags=["albums"])
    an_album = gallery_schemas.says(200, "The album", gallery_schemas.AlbumBody)

    async def with_covers(owner_id: str, albums: Sequence[AlbumView]) -> list[dict[str, Any]]:
        ids = [album.cover_id for album in albums if album.cover_id]
        kinds = await gallery.my_generations(parts.own(owner_id), ids)
        views = await gallery.in_order(parts.own(owner_id), [(kind, one) for one, kind in kinds.items()])
        covers = {view.id: view for view in views}
        return [album_body(album, covers.get(album.cover_id or ""), parts.public_url) for album in albums]

    @router.get(
        "",
        summary="List my albums",
        operation_id="list_albums",
        responses=gallery_schemas.says(200, "Newest first", gallery_schemas.AlbumPage)
        | schemas.NOT_MODIFIED
        | schemas.problems(400, 401, 403, 422, 503),
        openapi_extra={"parameters": parameters_of(Paging)},
    )
    async def listed(request: Request) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_READ)
        query = read_query(request, Paging)
        limit = read_limit(query.limit) or DEFAULT
        after = read_cursor(query.cursor, asking.user_id, datetime, str) or (ALWAYS, "")
        rows = await library.albums(parts.own(asking.user_id), (after[0], after[1]), limit + 1)
        shown, cursor = cut_page(rows, limit, asking.user_id, lambda row: (row.created_at, row.id))
        return answer(request, {"albums": await with_covers(asking.user_id, shown), "nextCursor": cursor})

    @router.post(
        "",
        status_code=201,
        summary="Make an album",
        operation_id="create_album",
        responses=gallery_schemas.says(201, "The album", gallery_schemas.NewAlbumBody)
        | schemas.problems(400, 401, 403, 413, 415, 422, 503),
        openapi_extra={"requestBody": schemas.json_body(NewAlbum)},
    )
    async def make(request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        body = await read_body(request, NewAlbum, limit=BULK_LIMIT)
        album, changed = await keep_media.make_album(
            parts.pool, asking.user_id, body.name.strip(), body.description, body.items
        )
        shaped = (await with_covers(asking.user_id, [album]))[0] | {"notFound": changed.not_found}
        return JSONResponse(shaped, status_code=201, headers={"Location": f"/api/albums/{album.id}"})

    @router.get(
        "/{album_id}",
        summary="See an album",
        operation_id="get_album",
        responses=an_album | schemas.NOT_MODIFIED | schemas.problems(401, 403, 404, 503),
    )
    async def one(album_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_READ)
        album = await _found(parts, asking.user_id, album_id)
        return answer(request, (await with_covers(asking.user_id, [album]))[0])

    @router.patch(
        "/{album_id}",
        summary="Rename an album, describe it, choose its cover",
        operation_id="change_album",
        responses=an_album | schemas.problems(400, 401, 403, 404, 413, 415, 422, 503),
        openapi_extra={"requestBody": schemas.json_body(AlbumChange)},
    )
    async def change(album_id: str, request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        await _found(parts, asking.user_id, album_id)
        body = await read_body(request, AlbumChange)
        given = body.model_dump(exclude_unset=True)
        try:
            album = await keep_media.change_album(parts.pool, asking.user_id, album_id, given)
        except CoverNotInAlbum:
            raise Problem(422, "cover_not_in_album", "cover_id must be one of the album's items") from None
        except AlbumNotFound:
            raise album_not_found() from None
        return JSONResponse((await with_covers(asking.user_id, [album]))[0])

    @router.delete(
        "/{album_id}",
        status_code=204,
        summary="Delete an album and its shares; what lies in it stays",
        operation_id="delete_album",
        responses=gallery_schemas.says(204, "It is gone") | schemas.problems(401, 403, 404, 503),
    )
    async def delete(album_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        await _found(parts, asking.user_id, album_id)
        try:
            await keep_media.delete_album(parts.pool, asking.user_id, album_id)
        except AlbumNotFound:
            raise album_not_found() from None
        return Response(status_code=204)

    return router


def album_item_router(parts: Parts) -> APIRouter:
    """Make the routes under /api/albums/<id>/items."""
    router = APIRouter(prefix="/api/albums", tags=["albums"])

    @router.get(
        "/{album_id}/items",
        summary="List what lies in an album",
        operation_id="list_album_items",
        responses=gallery_schemas.says(200, "Newest first", gallery_schemas.GalleryPage)
        | schemas.NOT_MODIFIED
        | schemas.problems(400, 401, 403, 404, 422, 503),
        openapi_extra={"parameters": parameters_of(Paging)},
    )
    async def items(album_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_READ)
        query = read_query(request, Paging)
        await _found(parts, asking.user_id, album_id)
        return await answer_page(parts, request, asking.user_id, Filters(statuses=None, album_id=album_id), query)

    @router.post(
        "/{album_id}/items",
        summary="Put generations into an album and take others out",
        operation_id="change_album_items",
        responses=gallery_schemas.says(200, "What was changed", gallery_schemas.BulkChange)
        | schemas.problems(400, 401, 403, 404, 413, 415, 422, 503),
        openapi_extra={"requestBody": schemas.json_body(BulkIds)},
    )
    async def bulk(album_id: str, request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        await _found(parts, asking.user_id, album_id)
        body = await read_body(request, BulkIds, limit=BULK_LIMIT)
        return JSONResponse(change_body(await _change(asking.user_id, album_id, list(body.add), list(body.remove))))

    @router.put(
        "/{album_id}/items/{generation_id}",
        status_code=204,
        summary="Put a generation into an album",
        operation_id="add_album_item",
        responses=gallery_schemas.says(204, "It lies in the album") | schemas.problems(401, 403, 404, 503),
    )
    async def put(album_id: str, generation_id: str, request: Request) -> Response:
        return await _set(album_id, generation_id, request, inside=True)

    @router.delete(
        "/{album_id}/items/{generation_id}",
        status_code=204,
        summary="Take a generation out of an album",
        operation_id="remove_album_item",
        responses=gallery_schemas.says(204, "It does not lie in the album") | schemas.problems(401, 403, 404, 503),
    )
    async def take(album_id: str, generation_id: str, request: Request) -> Response:
        return await _set(album_id, generation_id, request, inside=False)

    async def _set(album_id: str, generation_id: str, request: Request, *, inside: bool) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        await _found(parts, asking.user_id, album_id)
        ids = [generation_id]
        changed = await _change(asking.user_id, album_id, ids if inside else [], [] if inside else ids)
        if changed.not_found:
            raise generation_not_found()
        return Response(status_code=204)

    async def _change(owner_id: str, album_id: str, add: list[str], remove: list[str]) -> keep_media.Changed:
        try:
            return await keep_media.change_items(parts.pool, owner_id, album_id, add, remove)
        except AlbumNotFound:
            raise album_not_found() from None

    return router
