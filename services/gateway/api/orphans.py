"""Operators: a backend's reports that nobody could be given, to assign or to set aside."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.responses import Response

from contracts.events import as_utc
from contracts.scopes import Scope
from services.gateway.api import schemas
from services.gateway.api.callers import caller
from services.gateway.api.parameters import parameters_of
from services.gateway.parts import Parts
from services.gateway.queries.operating import OrphanView, orphans
from services.gateway.usecases.settle_orphan import NotAdoptable, OrphanSettled, OrphanUnknown, OwnerUnknown
from services.runtime.bodies import Body, Query, read_body, read_query
from services.runtime.cursors import DEFAULT, MOST, cut_page, read_cursor
from services.runtime.problems import Problem


class OrphansWanted(Query):
    """Which parked reports to list."""

    state: Literal["open", "assigned", "discarded", "all"] = Field(default="open", description="`open` if left out.")
    limit: int = Field(default=DEFAULT, ge=1, le=MOST, description="Most reports of a page.")
    cursor: str | None = Field(default=None, description="The nextCursor of the page before.")


class Assignment(Body):
    """Whose it is."""

    user_id: str = Field(min_length=1, max_length=255, description="Our id of a user, or the identity provider's.")


class Orphan(BaseModel):
    """A report that nobody could be given."""

    id: str
    kind: str
    job_id: str
    status: str = Field(description="What the backend reported.")
    reason: str = Field(description="Why nobody got it: a stable code.")
    payload: dict[str, Any] = Field(description="The webhook's body as it came.")
    received_at: str
    resolution: Literal["assigned", "discarded"] | None
    resolved_at: str | None
    resolved_by: str | None


class OrphanPage(BaseModel):
    """A page, newest first."""

    orphans: list[Orphan]
    nextCursor: str | None


class Assigned(BaseModel):
    """The job that the report became."""

    job_id: str


def _body(view: OrphanView) -> dict[str, Any]:
    return {
        "id": view.id,
        "kind": view.kind,
        "job_id": view.job_id,
        "status": view.status,
        "reason": view.reason,
        "payload": view.payload,
        "received_at": as_utc(view.received_at),
        "resolution": view.resolution,
        "resolved_at": as_utc(view.resolved_at) if view.resolved_at else None,
        "resolved_by": view.resolved_by,
    }


def _not_found() -> Problem:
    return Problem(404, "orphan_not_found", "there is no parked report of this id; list them first")


def _settled() -> Problem:
    return Problem(409, "orphan_settled", "this report was assigned or discarded before")


def orphan_router(parts: Parts) -> APIRouter:
    """Make /api/admin/orphans."""
    router = APIRouter(prefix="/api/admin/orphans", tags=["operating"])

    @router.get(
        "",
        summary="List parked reports",
        operation_id="list_orphans",
        responses=schemas.problems(400, 401, 403, 422, 503)
        | {200: {"model": OrphanPage, "description": "Newest first"}},
        openapi_extra={"parameters": parameters_of(OrphansWanted)},
    )
    async def listed(request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.OPERATE)
        wanted = read_query(request, OrphansWanted)
        after: Any = read_cursor(wanted.cursor, asking.user_id, datetime, str)
        found = await orphans(parts.pool, wanted.state, after=after, limit=wanted.limit + 1)
        shown, cursor = cut_page(found, wanted.limit, asking.user_id, lambda view: (view.received_at, view.id))
        return JSONResponse({"orphans": [_body(view) for view in shown], "nextCursor": cursor})

    @router.post(
        "/{orphan_id}/assign",
        status_code=202,
        summary="Give a parked report to somebody",
        operation_id="assign_orphan",
        responses=schemas.problems(400, 401, 403, 404, 409, 413, 415, 422, 503)
        | {202: {"model": Assigned, "description": "It becomes a job of this person's, as if it had named them"}},
        openapi_extra={"requestBody": schemas.json_body(Assignment)},
    )
    async def assign(orphan_id: str, request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.OPERATE)
        wanted = await read_body(request, Assignment)
        try:
            job_id = await parts.settle_orphan.assign(asking, orphan_id, wanted.user_id)
        except OrphanUnknown:
            raise _not_found() from None
        except OrphanSettled:
            raise _settled() from None
        except OwnerUnknown:
            raise Problem(
                422, "owner_unknown", "user_id is nobody we know; people appear here when they first sign in"
            ) from None
        except NotAdoptable:
            raise Problem(
                409, "orphan_not_adoptable", "a generation of this id ended otherwise meanwhile; discard the report"
            ) from None
        return JSONResponse({"job_id": job_id}, status_code=202)

    @router.delete(
        "/{orphan_id}",
        status_code=204,
        summary="Set a parked report aside",
        operation_id="discard_orphan",
        responses=schemas.problems(401, 403, 404, 409, 503) | {204: {"description": "It stays readable as discarded"}},
    )
    async def discard(orphan_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.OPERATE)
        try:
            await parts.settle_orphan.discard(asking, orphan_id)
        except OrphanUnknown:
            raise _not_found() from None
        except OrphanSettled:
            raise _settled() from None
        return Response(status_code=204)

    return router
