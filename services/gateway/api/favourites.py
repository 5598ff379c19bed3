"""Favourites: one by one, in bulk, and listed, what was liked last first."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator
from starlette.responses import Response

from contracts.faults import fault
from contracts.scopes import Scope
from services.gateway.api import gallery_schemas, schemas
from services.gateway.api.callers import caller
from services.gateway.api.gallery import Paging, answer_page, generation_not_found
from services.gateway.api.parameters import parameters_of
from services.gateway.parts import Parts
from services.gateway.queries.gallery import Filters
from services.gateway.usecases.keep_media import Changed, change_favourites
from services.runtime.bodies import Body, read_body, read_query

MOST_IDS = 1_000
BULK_LIMIT = 1024 * 1024
"""Bytes of a body that names many ids."""

# An id as a row may hold it: Prisma's applications choose their own.
AnyId = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
Ids = Annotated[list[AnyId], Field(max_length=MOST_IDS)]


class BulkIds(Body):
    """Which generations to add and which to remove."""

    add: Ids = Field(default=[])
    remove: Ids = Field(default=[])

    @model_validator(mode="after")
    def _says_something(self) -> "BulkIds":
        if not self.add and not self.remove:
            raise fault("ids_empty", "name at least one id in add or remove")
        if set(self.add) & set(self.remove):
            raise fault("ids_contradict", "an id stands in add and in remove; decide for one")
        return self


def change_body(changed: Changed) -> dict[str, Any]:
    """Shape what a bulk change did."""
    return {"added": changed.added, "removed": changed.removed, "notFound": changed.not_found}


def favourite_router(parts: Parts) -> APIRouter:
    """Make the routes under /api/favourites."""
    router = APIRouter(prefix="/api/favourites", tags=["favourites"])
    state = gallery_schemas.says(200, "As it is now", gallery_schemas.FavouriteState)

    @router.get(
        "",
        summary="List my favourites",
        operation_id="list_favourites",
        responses=gallery_schemas.says(200, "What was liked last first", gallery_schemas.GalleryPage)
        | schemas.NOT_MODIFIED
        | schemas.problems(400, 401, 403, 422, 503),
        openapi_extra={"parameters": parameters_of(Paging)},
    )
    async def listed(request: Request) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_READ)
        query = read_query(request, Paging)
        filters = Filters(statuses=None, favourite=True)
        return await answer_page(parts, request, asking.user_id, filters, query, walk="liked")

    @router.post(
        "",
        summary="Add and remove favourites in bulk",
        operation_id="change_favourites",
        responses=gallery_schemas.says(200, "What was changed", gallery_schemas.BulkChange)
        | schemas.problems(400, 401, 403, 413, 415, 422, 503),
        openapi_extra={"requestBody": schemas.json_body(BulkIds)},
    )
    async def bulk(request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        body = await read_body(request, BulkIds, limit=BULK_LIMIT)
        return JSONResponse(change_body(await change_favourites(parts.pool, asking.user_id, body.add, body.remove)))

    @router.put(
        "/{generation_id}",
        summary="Make a generation a favourite",
        operation_id="add_favourite",
        responses=state | schemas.problems(401, 403, 404, 503),
    )
    async def add(generation_id: str, request: Request) -> JSONResponse:
        return await _set(generation_id, request, favourite=True)

    @router.delete(
        "/{generation_id}",
        summary="Make a generation no favourite",
        operation_id="remove_favourite",
        responses=state | schemas.problems(401, 403, 404, 503),
    )
    async def remove(generation_id: str, request: Request) -> JSONResponse:
        return await _set(generation_id, request, favourite=False)

    async def _set(generation_id: str, request: Request, *, favourite: bool) -> JSONResponse:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        ids = [generation_id]
        add, remove = (ids, []) if favourite else ([], ids)
        changed = await change_favourites(parts.pool, asking.user_id, add, remove)
        if changed.not_found:
            raise generation_not_found()
        return JSONResponse({"id": generation_id, "favourite": favourite})

    return router
