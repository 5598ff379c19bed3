"""One-use tickets for `EventSource`."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from contracts.events import as_utc
from contracts.scopes import Scope
from services.notifier.api.callers import caller
from services.notifier.api.endpoints import answers
from services.notifier.parts import Parts
from services.notifier.store.tickets import LIFETIME_SECONDS, Ticket
from services.runtime.identity import session_hash


class TicketMade(BaseModel):
    """A ticket: put it into the address of a stream as `?ticket=`."""

    ticket: str = Field(description=f"Opens one stream of the caller's, once, within {LIFETIME_SECONDS} seconds.")
    expires_at: str


def ticket_router(parts: Parts) -> APIRouter:
    """Make POST /api/stream-tickets."""
    router = APIRouter(tags=["events"])

    @router.post(
        "/api/stream-tickets",
        status_code=201,
        summary="Make a one-use ticket for a stream",
        description="For EventSource, which sends no Authorization header. To come back, ask for another ticket and "
        "name the last id as `last_event_id`.",
        operation_id="create_stream_ticket",
        responses=answers(TicketMade, 201, "The ticket"),
    )
    async def create(request: Request) -> JSONResponse:
        owner = await caller(parts, request, Scope.JOBS_READ)
        secret = request.cookies.get(parts.identities.session_cookie) if owner.by_cookie else None
        ticket = Ticket(owner.user_id, owner.key_id, session_hash(secret) if secret else None)
        text, ends = await parts.stream_tickets.give(ticket)
        return JSONResponse(TicketMade(ticket=text, expires_at=as_utc(ends)).model_dump(), 201)

    return router
