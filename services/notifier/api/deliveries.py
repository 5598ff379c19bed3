"""The webhook console: what was sent to an endpoint, what came of it, and sending it again."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from contracts.ids import is_safe_id
from contracts.scopes import Scope
from contracts.webhooks import TYPES, webhook_id
from services.notifier.api import endpoint_bodies as bodies
from services.notifier.api.callers import caller
from services.notifier.api.endpoint_bodies import moment
from services.notifier.api.endpoints import PREFIX, SINCE, answers, conflict, own_endpoint
from services.notifier.parts import Parts
from services.notifier.queries import deliveries as queries
from services.notifier.store.endpoints import Endpoint
from services.notifier.usecases.manage_endpoints import EndpointConflict
from services.runtime.bodies import read_body, read_query
from services.runtime.cursors import DEFAULT, MOST, cut_page, read_cursor, read_limit
from services.runtime.problem_documents import json_body
from services.runtime.problems import Problem

_STATES = ["pending", "delivered", "superseded", "exhausted", "dropped"]
_FILTERS: list[dict[str, Any]] = [
    {"name": "state", "in": "query", "schema": {"type": "string", "enum": _STATES}},
    {"name": "type", "in": "query", "schema": {"type": "string", "enum": list(TYPES)}},
    {"name": "job_id", "in": "query", "schema": {"type": "string"}},
    SINCE,
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MOST}},
    {
        "name": "cursor",
        "in": "query",
        "description": "The next_cursor of the page before.",
        "schema": {"type": "string"},
    },
]


def _not_found() -> Problem:
    return Problem(404, "delivery_not_found", "there is no delivery of this id to this endpoint")


def delivery_router(parts: Parts) -> APIRouter:  # noqa: C901 - five routes, each a few lines
    """Make the routes of deliveries."""
    router = APIRouter(prefix=PREFIX + "/{endpoint_id}", tags=["webhook endpoints"])

    async def own(endpoint_id: str, request: Request) -> tuple[str, Endpoint]:
        owner = await caller(parts, request, Scope.ACCOUNT)
        return owner.user_id, await own_endpoint(parts, owner, endpoint_id)

    @router.post(
        "/test",
        status_code=202,
        summary="Send a test event",
        operation_id="test_webhook_endpoint",
        responses=answers(bodies.DeliveryBody, 202, "On its way", 404, 409),
    )
    async def test(endpoint_id: str, request: Request) -> JSONResponse:
        _, endpoint = await own(endpoint_id, request)
        try:
            delivery_id = await parts.send_again.test(endpoint)
        except EndpointConflict as error:
            raise conflict(error) from None
        return JSONResponse(await one_delivery(parts, endpoint, delivery_id, bodies.DeliveryBody), 202)

    @router.get(
        "/deliveries",
        summary="What was sent to a webhook endpoint",
        operation_id="list_webhook_deliveries",
        responses=answers(bodies.DeliveryPage, 200, "The newest first", 400, 404, 422),
        openapi_extra={"parameters": _FILTERS},
    )
    async def list_all(endpoint_id: str, request: Request) -> JSONResponse:
        owner_id, endpoint = await own(endpoint_id, request)
        return JSONResponse(await deliveries_page(parts, request, owner_id, endpoint))

    @router.get(
        "/deliveries/{delivery_id}",
        summary="One delivery with its payload and attempts",
        operation_id="show_webhook_delivery",
        responses=answers(bodies.DeliveryDetail, 200, "The delivery", 404),
    )
    async def show(endpoint_id: str, delivery_id: str, request: Request) -> JSONResponse:
        _, endpoint = await own(endpoint_id, request)
        return JSONResponse(await one_delivery(parts, endpoint, delivery_id, bodies.DeliveryDetail))

    @router.post(
        "/deliveries/{delivery_id}/resend",
        status_code=202,
        summary="Send one delivery again, under the same webhook-id",
        operation_id="resend_webhook_delivery",
        responses=answers(bodies.DeliveryBody, 202, "On its way", 404, 409),
    )
    async def resend(endpoint_id: str, delivery_id: str, request: Request) -> JSONResponse:
        _, endpoint = await own(endpoint_id, request)
        try:
            if not is_safe_id(delivery_id) or not await parts.send_again.one(endpoint, delivery_id):
                raise _not_found()
        except EndpointConflict as error:
            raise conflict(error) from None
        return JSONResponse(await one_delivery(parts, endpoint, delivery_id, bodies.DeliveryBody), 202)

    @router.post(
        "/recover",
        status_code=202,
        summary="Send everything that was missed since a moment",
        operation_id="recover_webhook_endpoint",
        responses=answers(bodies.Recovered, 202, "On their way", 400, 404, 409, 413, 415, 422),
        openapi_extra={"requestBody": json_body(bodies.Recovery)},
    )
    async def recover(endpoint_id: str, request: Request) -> JSONResponse:
        _, endpoint = await own(endpoint_id, request)
        body = await read_body(request, bodies.Recovery)
        try:
            count, more = await parts.send_again.missed(endpoint, body.since)
        except EndpointConflict as error:
            raise conflict(error) from None
        return JSONResponse(bodies.Recovered(recovered=count, more=more).model_dump(), 202)

    return router


async def deliveries_page(parts: Parts, request: Request, owner_id: str, endpoint: Endpoint) -> dict[str, Any]:
    """Return a page of what was sent to an endpoint, as the request's query asks."""
    query = read_query(request, bodies.DeliveriesQuery)
    limit = read_limit(query.limit) or DEFAULT
    position: Any = read_cursor(query.cursor, owner_id, datetime, str)
    filters = (query.state, query.type, query.since, query.job_id)
    rows = await queries.page(parts.pool, endpoint.id, filters, position, limit + 1)
    shown, more = cut_page(rows, limit, owner_id, lambda row: (row["created_at"], row["id"]))
    listed = [bodies.DeliveryBody(**_fields(row)) for row in shown]
    return bodies.DeliveryPage(deliveries=listed, next_cursor=more).model_dump(mode="json")


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    same = {name: row[name] for name in ("id", "type", "job_id", "kind", "url", "state", "attempts")}
    moments = {name: moment(row[name]) for name in ("next_attempt_at", "created_at", "sent_at", "finished_at")}
    return {
        **same,
        **moments,
        "webhook_id": webhook_id(row["event_id"]),
        "last_status_code": row["status_code"],
        "last_error": row["error"],
    }


async def one_delivery(
    parts: Parts, endpoint: Endpoint, delivery_id: str, model: type[bodies.DeliveryBody]
) -> dict[str, Any]:
    """Return one delivery in a shape; raises a 404 problem."""
    row = await queries.one(parts.pool, endpoint.id, delivery_id) if is_safe_id(delivery_id) else None
    if row is None:
        raise _not_found()
    log = [bodies.AttemptBody(**{**attempt, "at": str(moment(attempt["at"]))}) for attempt in row["log"]]
    detail = {"payload": row["payload"], "log": log} if model is bodies.DeliveryDetail else {}
    return model(**_fields(row), **detail).model_dump(mode="json")
