"""Operators: how the whole system is doing."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from contracts.scopes import Scope
from services.gateway.api import schemas
from services.gateway.api.callers import caller
from services.gateway.parts import Parts
from services.gateway.queries.operating import MOST_COUNTED


class GroupLag(BaseModel):
    """Records that a consumer group has yet to handle."""

    group: str
    topic: str
    lag: int


class Outbox(BaseModel):
    """Events that are committed and not yet acknowledged by Kafka."""

    service: str
    waiting: int = Field(description=f"Counted up to {MOST_COUNTED:,}.")
    oldest_seconds: float | None


class Health(BaseModel):
    """What is behind, and what needs a decision."""

    lags: list[GroupLag] | None = Field(description="null while Kafka does not answer.")
    outboxes: list[Outbox]
    dead_letters: int = Field(description=f"Open ones, counted up to {MOST_COUNTED:,}.")
    orphans: int = Field(description=f"Open ones, counted up to {MOST_COUNTED:,}.")


def system_health_router(parts: Parts) -> APIRouter:
    """Make GET /api/admin/health."""
    router = APIRouter(prefix="/api/admin", tags=["operating"])

    @router.get(
        "/health",
        summary="See what is behind in the whole system",
        operation_id="get_system_health",
        responses=schemas.problems(401, 403, 503) | {200: {"model": Health, "description": "As of now"}},
    )
    async def health(request: Request) -> JSONResponse:
        await caller(parts, request, Scope.OPERATE)
        seen = await parts.look_at_health()
        lags = [GroupLag(group=group, topic=topic, lag=lag) for (group, topic), lag in (seen.lags or {}).items()]
        body = Health(
            lags=lags if seen.lags is not None else None,
            outboxes=[
                Outbox(service=box.service, waiting=box.waiting, oldest_seconds=box.oldest_seconds)
                for box in seen.outboxes
            ],
            dead_letters=seen.dead_letters,
            orphans=seen.orphans,
        )
        return JSONResponse(body.model_dump())

    return router
