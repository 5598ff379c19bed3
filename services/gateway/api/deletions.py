"""Delete and restore generations of any kind, one by one or many."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from contracts.events import as_utc
from contracts.ids import is_safe_id
from contracts.scopes import Scope
from services.gateway.api import schemas
from services.gateway.api.callers import caller
from services.gateway.parts import Parts
from services.gateway.queries.deletions import Deleted
from services.gateway.usecases.delete_generations import Purged
from services.runtime.bodies import Body, read_body
from services.runtime.problems import Problem

MOST_IDS = 200


class GenerationIds(Body):
    """Which generations."""

    ids: list[Annotated[str, Field(max_length=64)]] = Field(min_length=1, max_length=MOST_IDS)


class DeletedGeneration(BaseModel):
    """A generation that is hidden everywhere, and until when it can be restored."""

    id: str
    deletedAt: str
    restorableUntil: str


class DeletedGenerations(BaseModel):
    """What was deleted, and the ids that are not yours or not there."""

    deleted: list[DeletedGeneration]
    notFound: list[str]


class RestoredGeneration(BaseModel):
    """A generation that is back."""

    id: str
    restored: bool


class RestoredGenerations(BaseModel):
    """What is back, and the ids that are not yours, not there, or gone for good."""

    restored: list[str]
    notFound: list[str]


def _not_found() -> Problem:
    return Problem(404, "generation_not_found", "there is no generation of this id among yours")


def _deleted(one: Deleted) -> dict[str, Any]:
    return {
        "id": one.generation_id,
        "deletedAt": as_utc(one.deleted_at),
        "restorableUntil": as_utc(one.purge_after),
    }


def deletion_router(parts: Parts) -> APIRouter:
    """Make the routes that delete and restore under /api/gallery."""
    router = APIRouter(prefix="/api/gallery", tags=["gallery"])
    body = {"requestBody": schemas.json_body(GenerationIds)}

    async def ids_of(request: Request) -> list[str]:
        return list(dict.fromkeys((await read_body(request, GenerationIds)).ids))

    @router.post(
        "/delete",
        summary="Delete many generations",
        operation_id="delete_generations",
        responses=schemas.answers(
            {200: {"model": DeletedGenerations, "description": "What is deleted now"}},
            400,
            401,
            403,
            413,
            415,
            422,
            503,
        ),
        openapi_extra=body,
    )
    async def delete_many(request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        ids = await ids_of(request)
        deleted = await parts.media.delete_generations.delete(asking, [one for one in ids if is_safe_id(one)])
        return JSONResponse(
            {
                "deleted": [_deleted(deleted[one]) for one in ids if one in deleted],
                "notFound": [one for one in ids if one not in deleted],
            }
        )

    @router.post(
        "/restore",
        summary="Restore many generations",
        operation_id="restore_generations",
        responses=schemas.answers(
            {200: {"model": RestoredGenerations, "description": "What is there now"}}, 400, 401, 403, 413, 415, 422, 503
        ),
        openapi_extra=body,
    )
    async def restore_many(request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        ids = await ids_of(request)
        there = await parts.media.delete_generations.restore(asking, [one for one in ids if is_safe_id(one)])
        return JSONResponse(
            {"restored": [one for one in ids if one in there], "notFound": [one for one in ids if one not in there]}
        )

    @router.delete(
        "/{generation_id}",
        summary="Delete a generation",
        operation_id="delete_generation",
        responses=schemas.answers(
            {200: {"model": DeletedGeneration, "description": "It is hidden everywhere"}}, 401, 403, 404, 503
        ),
    )
    async def delete_one(generation_id: str, request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        ids = [generation_id] if is_safe_id(generation_id) else []
        deleted = await parts.media.delete_generations.delete(asking, ids)
        if generation_id not in deleted:
            raise _not_found()
        return JSONResponse(_deleted(deleted[generation_id]))

    @router.post(
        "/{generation_id}/restore",
        summary="Restore a generation",
        operation_id="restore_generation",
        responses=schemas.answers(
            {200: {"model": RestoredGeneration, "description": "It is back"}}, 401, 403, 404, 410, 503
        ),
    )
    async def restore_one(generation_id: str, request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        try:
            if not is_safe_id(generation_id) or not await parts.media.delete_generations.restore_one(
                asking, generation_id
            ):
                raise _not_found()
        except Purged:
            raise Problem(410, "generation_purged", "this generation was removed for good") from None
        return JSONResponse({"id": generation_id, "restored": True})

    return router
