"""Operators pause and resume a provider, a model, a kind or everything."""

import unicodedata
from typing import Annotated, Any, Literal, cast, get_args

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field
from starlette.responses import Response

from contracts.events import as_utc
from contracts.faults import fault
from contracts.kinds import KINDS
from contracts.scopes import Scope
from services.gateway.api import schemas
from services.gateway.api.callers import caller, request_id
from services.gateway.parts import Parts
from services.gateway.queries.pauses import PauseView, pauses
from services.gateway.usecases.pause_work import NotPaused, pause, resume
from services.runtime.bodies import Body, read_body
from services.runtime.problems import Problem

ALL = "all"
PauseScope = Literal["all", "provider", "model", "kind"]
_PARAMETERS: list[dict[str, Any]] = [
    {"name": "scope", "in": "path", "required": True, "schema": {"type": "string", "enum": list(get_args(PauseScope))}},
    {
        "name": "name",
        "in": "path",
        "required": True,
        "description": "Of the provider, model or kind, as GET /api/admin/queues and GET /api/models say it; "
        "`all` where everything is meant.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    },
]


def _reason(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise fault("reason_not_printable", "reason holds a control character; write it without")
    return text.strip()


class PauseWanted(Body):
    """Why."""

    reason: Annotated[str, Field(max_length=500), AfterValidator(_reason)] | None = Field(
        default=None, description="What other operators are told."
    )


class Pause(BaseModel):
    """Something of which nothing new is begun."""

    scope: PauseScope
    name: str
    reason: str | None
    paused_by: str = Field(description="The id of the user who paused it.")
    paused_at: str


class Pauses(BaseModel):
    """All that is paused."""

    pauses: list[Pause]


def _body(view: PauseView) -> dict[str, Any]:
    return {
        "scope": view.scope,
        "name": view.name or ALL,
        "reason": view.reason,
        "paused_by": view.paused_by,
        "paused_at": as_utc(view.paused_at),
    }


def pause_router(parts: Parts) -> APIRouter:
    """Make /api/admin/pauses."""
    router = APIRouter(prefix="/api/admin/pauses", tags=["operating"])

    @router.get(
        "",
        summary="List what is paused",
        operation_id="list_pauses",
        responses=schemas.problems(401, 403, 503) | {200: {"model": Pauses, "description": "The longest first"}},
    )
    async def listed(request: Request) -> JSONResponse:
        await caller(parts, request, Scope.OPERATE)
        return JSONResponse({"pauses": [_body(view) for view in await pauses(parts.pool)]})

    @router.put(
        "/{scope}/{name:path}",
        summary="Begin nothing more of a provider, a model, a kind or everything",
        operation_id="pause_work",
        responses=schemas.problems(400, 401, 403, 404, 413, 415, 422, 503)
        | {200: {"model": Pause, "description": "Within a second; what runs goes on, and deadlines count"}},
        openapi_extra={"parameters": _PARAMETERS, "requestBody": schemas.json_body(PauseWanted)},
    )
    async def paused(request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.OPERATE)
        scope, name = _subject(request)
        wanted = await read_body(request, PauseWanted)
        view = await pause(parts.pool, asking, scope, name, wanted.reason or None, request_id=request_id(request))
        return JSONResponse(_body(view))

    @router.delete(
        "/{scope}/{name:path}",
        status_code=204,
        summary="Let it begin again",
        operation_id="resume_work",
        responses=schemas.problems(401, 403, 404, 503) | {204: {"description": "It goes on at once"}},
        openapi_extra={"parameters": _PARAMETERS},
    )
    async def resumed(request: Request) -> Response:
        asking = await caller(parts, request, Scope.OPERATE)
        scope, name = _subject(request)
        try:
            await resume(parts.pool, asking, scope, name, request_id=request_id(request))
        except NotPaused:
            raise Problem(404, "pause_not_found", "this is not paused") from None
        return Response(status_code=204)

    return router


def _subject(request: Request) -> tuple[PauseScope, str]:
    """Read what is meant; everything has no name of its own. Raises a 404 problem for what there cannot be."""
    scope, name = request.path_params["scope"], request.path_params["name"]
    possible = {ALL: name == ALL, "kind": name in KINDS}.get(scope, 1 <= len(name) <= 200)
    if scope not in get_args(PauseScope) or not possible:
        detail = "pause all/all, kind/<kind>, provider/<name> or model/<id>"
        raise Problem(404, "pause_target_unknown", f"there is nothing of this name to pause; {detail}")
    return cast(PauseScope, scope), "" if scope == ALL else name
