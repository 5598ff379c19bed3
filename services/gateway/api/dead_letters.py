"""Operators: records that could not be handled, to read, to send again, to set aside."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
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
from services.gateway.queries.operating import LetterView, letters
from services.gateway.usecases.settle_dead_letters import (
    LetterSettled,
    LetterUnknown,
    TopicGone,
    write_letter_id,
)
from services.runtime.bodies import Body, Query, read_body, read_query
from services.runtime.cursors import DEFAULT, MOST, cut_page, read_cursor
from services.runtime.moments import Moment
from services.runtime.problems import Problem


class LettersWanted(Query):
    """Which letters to list."""

    topic: str | None = Field(default=None, max_length=249, description="Those of this topic, named without prefix.")
    consumer: str | None = Field(default=None, max_length=64, description="Those that this service could not handle.")
    state: Literal["open", "replayed", "discarded", "all"] = Field(default="open", description="`open` if left out.")
    limit: int = Field(default=DEFAULT, ge=1, le=MOST, description="Most letters of a page.")
    cursor: str | None = Field(default=None, description="The nextCursor of the page before.")


class ReplayWanted(Body):
    """Which open letters to send again; all when neither is named."""

    topic: str | None = Field(default=None, max_length=249)
    consumer: str | None = Field(default=None, max_length=64)
    before: Moment | None = Field(
        default=None, description="Those that came before this moment; now if left out. What fails again comes after."
    )


class Letter(BaseModel):
    """A record that could not be handled."""

    id: str
    topic: str
    partition: int
    offset: int
    consumer: str = Field(description="The service that could not handle it.")
    key: str | None
    reason: str = Field(description="A stable code.")
    detail: str | None
    size_bytes: int | None
    at: str
    resolution: Literal["replayed", "discarded"] | None
    resolved_at: str | None
    resolved_by: str | None


class WholeLetter(Letter):
    """The same with its content."""

    value: str | None = Field(description="The record's value when it is UTF-8.")
    value_base64: str | None = Field(description="The value when it is not.")
    headers: dict[str, str]


class LetterPage(BaseModel):
    """A page, newest first."""

    dead_letters: list[Letter]
    nextCursor: str | None


class ReplayedLetters(BaseModel):
    """What was sent again."""

    replayed: int
    more: bool = Field(description="Ask once more with this `before`: a call sends 1,000 at most.")
    before: str | None = Field(description="The moment up to which letters were taken; null for a single one.")


def _body(view: LetterView) -> dict[str, Any]:
    return {
        "id": write_letter_id((view.topic, view.partition, view.offset, view.consumer)),
        "topic": view.topic,
        "partition": view.partition,
        "offset": view.offset,
        "consumer": view.consumer,
        "key": view.key,
        "reason": view.reason,
        "detail": view.detail,
        "size_bytes": view.size_bytes,
        "at": as_utc(view.at),
        "resolution": view.resolution,
        "resolved_at": as_utc(view.resolved_at) if view.resolved_at else None,
        "resolved_by": view.resolved_by,
    }


def _whole(view: LetterView, value: bytes, headers: dict[str, str]) -> dict[str, Any]:
    try:
        text, encoded = value.decode(), None
    except UnicodeDecodeError:
        text, encoded = None, base64.b64encode(value).decode()
    return _body(view) | {"value": text, "value_base64": encoded, "headers": headers}


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except LetterUnknown:
        raise Problem(404, "dead_letter_not_found", "there is no dead letter of this id; list them first") from None
    except LetterSettled:
        raise Problem(409, "dead_letter_settled", "this dead letter was replayed or discarded before") from None
    except TopicGone:
        raise Problem(
            409, "topic_gone", "this version reads no such topic, so nobody would hear it; discard it"
        ) from None


def dead_letter_router(parts: Parts) -> APIRouter:
    """Make /api/admin/dead-letters."""
    router = APIRouter(prefix="/api/admin/dead-letters", tags=["operating"])

    @router.get(
        "",
        summary="List dead letters",
        operation_id="list_dead_letters",
        responses=schemas.problems(400, 401, 403, 422, 503)
        | {200: {"model": LetterPage, "description": "Newest first"}},
        openapi_extra={"parameters": parameters_of(LettersWanted)},
    )
    async def listed(request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.OPERATE)
        wanted = read_query(request, LettersWanted)
        after: Any = read_cursor(wanted.cursor, asking.user_id, datetime, str, int, int, str)
        found = await letters(
            parts.pool,
            wanted.state,
            topic=wanted.topic,
            consumer=wanted.consumer,
            after=after,
            limit=wanted.limit + 1,
        )
        shown, cursor = cut_page(
            found,
            wanted.limit,
            asking.user_id,
            lambda view: (view.at, view.topic, view.partition, view.offset, view.consumer),
        )
        return JSONResponse({"dead_letters": [_body(view) for view in shown], "nextCursor": cursor})

    @router.post(
        "/replay",
        status_code=202,
        summary="Send many dead letters again",
        operation_id="replay_dead_letters",
        responses=schemas.problems(400, 401, 403, 413, 415, 422, 503)
        | {202: {"model": ReplayedLetters, "description": "They are on their way to the topics they came from"}},
        openapi_extra={"requestBody": schemas.json_body(ReplayWanted)},
    )
    async def replay_many(request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.OPERATE)
        wanted = await read_body(request, ReplayWanted)
        done = await parts.settle_dead_letters.replay_all(asking, wanted.topic, wanted.consumer, wanted.before)
        told = {"replayed": done.count, "more": done.more, "before": done.before.isoformat()}
        return JSONResponse(told, status_code=202)

    @router.get(
        "/{letter_id}",
        summary="Read a dead letter",
        operation_id="get_dead_letter",
        responses=schemas.problems(401, 403, 404, 503)
        | {200: {"model": WholeLetter, "description": "The record as it came"}},
    )
    async def read(letter_id: str, request: Request) -> JSONResponse:
        await caller(parts, request, Scope.OPERATE)
        with _refusals():
            view, value, headers = await parts.settle_dead_letters.read(letter_id)
        return JSONResponse(_whole(view, value, headers), headers={"Cache-Control": "no-store"})

    @router.post(
        "/{letter_id}/replay",
        status_code=202,
        summary="Send a dead letter again",
        operation_id="replay_dead_letter",
        responses=schemas.problems(401, 403, 404, 409, 503)
        | {202: {"model": ReplayedLetters, "description": "It is on its way to the topic it came from"}},
    )
    async def replay(letter_id: str, request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.OPERATE)
        with _refusals():
            await parts.settle_dead_letters.replay(asking, letter_id)
        return JSONResponse({"replayed": 1, "more": False, "before": None}, status_code=202)

    @router.delete(
        "/{letter_id}",
        status_code=204,
        summary="Set a dead letter aside",
        operation_id="discard_dead_letter",
        responses=schemas.problems(401, 403, 404, 409, 503) | {204: {"description": "It stays readable as discarded"}},
    )
    async def discard(letter_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.OPERATE)
        with _refusals():
            await parts.settle_dead_letters.discard(asking, letter_id)
        return Response(status_code=204)

    return router
