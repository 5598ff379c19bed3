"""Operators see what every provider has to do."""

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from contracts.scopes import Scope
from services.gateway.api import schemas
from services.gateway.api.callers import caller
from services.gateway.parts import Parts
from services.gateway.queries.queue import Queue, queues


class QueueBody(BaseModel):
    """What one provider has to do."""

    provider: str
    queued: int
    running: int = Field(description="At work in a slot of a generator.")
    waiting: int = Field(description="Operations that the provider works on; they take no slot.")
    oldest_seconds: float | None = Field(description="How long the first of those queued has waited.")
    slots: int = Field(description="Of all generators that gave a sign of life within half a minute.")
    paused: bool = Field(description="Whether it is paused, or everything is.")
    breaker: Literal["closed", "open", "half_open"]


class Queues(BaseModel):
    """Every provider that has something to do or somebody to do it."""

    queues: list[QueueBody]
    caps: dict[str, int] = Field(description="Most jobs under way, by subject (`user:<id>`) or sort of subject.")
    weights: dict[str, float] = Field(description="Turns for one of others.")


def queue_router(parts: Parts) -> APIRouter:
    """Make /api/admin/queues."""
    router = APIRouter(prefix="/api/admin/queues", tags=["operating"])

    @router.get(
        "",
        summary="See what every provider has to do",
        operation_id="list_queues",
        responses=schemas.problems(401, 403, 503) | {200: {"model": Queues, "description": "By provider"}},
    )
    async def listed(request: Request) -> JSONResponse:
        await caller(parts, request, Scope.OPERATE)
        found = [_body(one) for one in await queues(parts.pool)]
        return JSONResponse({"queues": found, "caps": parts.settings.caps, "weights": parts.settings.weights})

    return router


def _body(one: Queue) -> dict[str, object]:
    return {
        "provider": one.provider,
        "queued": one.queued,
        "running": one.running,
        "waiting": one.waiting,
        "oldest_seconds": round(one.oldest_seconds, 1) if one.oldest_seconds is not None else None,
        "slots": one.slots,
        "paused": one.paused,
        "breaker": one.breaker,
    }
