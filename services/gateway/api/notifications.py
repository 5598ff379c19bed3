"""The bell: what was told, how much of it is unread, and marking it read."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator
from starlette.responses import Response

from contracts.events import as_utc
from contracts.faults import fault
from contracts.messages import choose_language
from contracts.notifications import Notice, in_language
from contracts.scopes import Scope
from services.gateway.api import gallery_schemas, schemas
from services.gateway.api.callers import caller
from services.gateway.api.etags import answer
from services.gateway.api.favourites import BULK_LIMIT, MOST_IDS, AnyId
from services.gateway.api.gallery import Paging
from services.gateway.api.parameters import parameters_of
from services.gateway.parts import Parts
from services.gateway.queries import notifications
from services.gateway.queries.generations import ALWAYS
from services.gateway.queries.notifications import MOST_COUNTED, NotificationView
from services.gateway.usecases.read_notifications import read_all, read_some
from services.runtime.bodies import Body, read_body, read_query
from services.runtime.cursors import DEFAULT, cut_page, read_cursor, read_limit
from services.runtime.problems import Problem


class NotificationQuery(Paging):
    """Which notifications."""

    unread: bool | None = Field(default=None, description="true: only the unread; false: only the read.")


class ReadThese(Body):
    """What was read: all, or these."""

    all: Literal[True] | None = None
    ids: Annotated[list[AnyId], Field(min_length=1, max_length=MOST_IDS)] | None = None

    @model_validator(mode="after")
    def _says_what(self) -> "ReadThese":
        if (self.all is None) == (self.ids is None):
            raise fault("read_unclear", "send either all: true or ids")
        return self


def _body(view: NotificationView, language: str) -> dict[str, object]:
    said = in_language(Notice(view.type, view.title, view.message), language)
    return {
        "id": view.id,
        "type": view.type,
        "title": said.title,
        "message": said.message,
        "metadata": view.metadata,
        "prompt": view.prompt,
        "createdAt": as_utc(view.created_at),
        "read": view.read,
    }


def notification_router(parts: Parts) -> APIRouter:
    """Make the routes under /api/notifications."""
    router = APIRouter(prefix="/api/notifications", tags=["notifications"])

    @router.get(
        "",
        summary="List my notifications",
        operation_id="list_notifications",
        responses=gallery_schemas.says(200, "Newest first", gallery_schemas.NotificationPage)
        | schemas.NOT_MODIFIED
        | schemas.problems(400, 401, 403, 422, 503),
        openapi_extra={"parameters": parameters_of(NotificationQuery)},
    )
    async def listed(request: Request) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_READ)
        query = read_query(request, NotificationQuery)
        limit = read_limit(query.limit) or DEFAULT
        after = read_cursor(query.cursor, asking.user_id, datetime, str) or (ALWAYS, "")
        rows = await notifications.page(
            parts.own(asking.user_id), unread=query.unread, after=(after[0], after[1]), limit=limit + 1
        )
        shown, cursor = cut_page(rows, limit, asking.user_id, lambda row: (row.created_at, row.id))
        language = choose_language(request.headers.get("accept-language"))
        body = {
            "notifications": [_body(row, language) for row in shown],
            "nextCursor": cursor,
        }
        return answer(request, body, by_language=True, headers={"Content-Language": language})

    @router.get(
        "/unread-count",
        summary="Count my unread notifications",
        operation_id="count_unread_notifications",
        responses=gallery_schemas.says(200, "How many", gallery_schemas.UnreadCount)
        | schemas.NOT_MODIFIED
        | schemas.problems(401, 403, 503),
    )
    async def unread(request: Request) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_READ)
        count = await notifications.unread_count(parts.own(asking.user_id))
        return answer(request, {"count": count, "atLeast": count >= MOST_COUNTED})

    @router.post(
        "/read",
        summary="Mark notifications as read: all, or these",
        operation_id="read_notifications",
        responses=gallery_schemas.says(200, "Marked", gallery_schemas.MarkedRead)
        | schemas.problems(400, 401, 403, 413, 415, 422, 503),
        openapi_extra={"requestBody": schemas.json_body(ReadThese)},
    )
    async def read(request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        body = await read_body(request, ReadThese, limit=BULK_LIMIT)
        if body.ids is None:
            await read_all(parts.pool, asking.user_id)
            return JSONResponse({"read": None, "notFound": []})
        known = await read_some(parts.pool, asking.user_id, body.ids)
        wanted = dict.fromkeys(body.ids)
        return JSONResponse(
            {"read": [one for one in wanted if one in known], "notFound": [one for one in wanted if one not in known]}
        )

    @router.post(
        "/{notification_id}/read",
        status_code=204,
        summary="Mark one notification as read",
        operation_id="read_notification",
        responses=gallery_schemas.says(204, "It is read") | schemas.problems(401, 403, 404, 503),
    )
    async def read_one(notification_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_WRITE)
        if not await read_some(parts.pool, asking.user_id, [notification_id]):
            raise Problem(404, "notification_not_found", "there is no notification of this id among yours")
        return Response(status_code=204)

    return router
