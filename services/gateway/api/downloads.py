"""Many generations in one download."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import AfterValidator, Field
from starlette.responses import StreamingResponse

from contracts.faults import fault
from contracts.ids import is_safe_id
from contracts.media import attachment
from contracts.scopes import Scope
from services.gateway.api import schemas
from services.gateway.api.callers import caller
from services.gateway.parts import Parts
from services.gateway.queries import downloads
from services.runtime.bodies import Query, read_query
from services.runtime.problems import Problem

MOST_GENERATIONS = 500


def _ids(text: str) -> str:
    ids = text.split(",")
    if len(ids) > MOST_GENERATIONS:
        raise fault("ids_too_many", f"ids names more than {MOST_GENERATIONS} generations; ask in parts")
    return text


class ZipQuery(Query):
    """Which generations."""

    ids: Annotated[str, Field(min_length=1, max_length=65 * MOST_GENERATIONS), AfterValidator(_ids)] | None = None
    album: Annotated[str, Field(min_length=1, max_length=64)] | None = None


async def _wanted(parts: Parts, owner_id: str, query: ZipQuery) -> set[str]:
    """Return the ids that are asked for, one by one or as an album; raises a 404 or 422 problem."""
    if (query.ids is None) == (query.album is None):
        raise Problem(422, "ids_required", "name either ids or an album")
    if query.ids is not None:
        return set(query.ids.split(","))
    inside = await downloads.ids_in_album(parts.own(owner_id), query.album or "", MOST_GENERATIONS + 1)
    if inside is None:
        raise Problem(404, "album_not_found", "there is no album of this id among yours")
    if len(inside) > MOST_GENERATIONS:
        raise Problem(
            422, "ids_too_many", f"the album has more than {MOST_GENERATIONS} generations; ask in parts by ids"
        )
    return set(inside)


def download_router(parts: Parts) -> APIRouter:
    """Make GET /api/gallery/zip; include it before the gallery's own routes, which take any word for an id."""
    router = APIRouter(prefix="/api/gallery", tags=["gallery"])

    @router.get(
        "/zip",
        summary="Download generations as one zip",
        operation_id="download_generations",
        response_class=StreamingResponse,
        responses=schemas.answers(
            {
                200: {
                    "description": "The files, each named by date and prompt; what is stored elsewhere is"
                    " listed in links.txt",
                    "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
                }
            },
            401,
            403,
            404,
            409,
            422,
            503,
        ),
        openapi_extra={
            "parameters": [
                {
                    "name": "ids",
                    "in": "query",
                    "description": f"Ids of generations, separated by commas; at most {MOST_GENERATIONS}.",
                    "schema": {"type": "string"},
                },
                {
                    "name": "album",
                    "in": "query",
                    "description": "Everything in one album instead.",
                    "schema": {"type": "string", "minLength": 1, "maxLength": 64},
                },
            ]
        },
    )
    async def download(request: Request) -> StreamingResponse:
        asking = await caller(parts, request, Scope.MEDIA_READ)
        wanted = await _wanted(parts, asking.user_id, read_query(request, ZipQuery))
        safe = [one for one in wanted if is_safe_id(one)]
        found, files = await downloads.files_of(parts.own(asking.user_id), safe)
        if found != wanted:
            raise Problem(404, "generation_not_found", "not every id is a generation of yours")
        if not files:
            raise Problem(409, "no_files", "none of these generations has a file yet")
        name = f"sorami_{files[-1].made_at:%Y-%m-%d}.zip"
        return StreamingResponse(
            parts.media.stream_zip(files),
            media_type="application/zip",
            headers={
                "Content-Disposition": attachment(name),
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )

    return router
