"""Who is calling this notifier, and whether they may do this, and go on watching."""

import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request

from contracts.scopes import Scope, allowed_scopes
from services.notifier.parts import Parts
from services.notifier.usecases.watch_jobs import Frames
from services.runtime.callers import caller_of
from services.runtime.database import is_transient
from services.runtime.identity import Caller
from services.runtime.logs import get_logger
from services.runtime.problems import Problem, not_authenticated

_ASK_AGAIN_SECONDS = 0.5

_log = get_logger(part="streams")


async def caller(parts: Parts, request: Request, scope: Scope) -> Caller:
    """Return the caller who has this scope; raises a 401 or 403 problem."""
    found = await caller_of(request, parts.identities, own_origins=parts.own_origins)
    if scope not in allowed_scopes(found.scopes, operator=found.operator):
        raise Problem(403, "scope_missing", f"this needs the scope {scope}; use a key that has it")
    if found.impersonated:
        # The audit log is the gateway's to write.
        _log.info("somebody looks as another person", actor=found.actor, user_id=found.user_id)
    return found


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who opened a stream; `may_go_on` asks whether the key or the session it was opened with still holds."""

    user_id: str
    may_go_on: Callable[[], Awaitable[bool]] | None = None


async def watcher(parts: Parts, request: Request) -> Watcher:
    """Return who watches, by a ticket in the address or as everywhere; raises a 401 or 403 problem."""
    text = request.query_params.get("ticket")
    if text is not None:
        ticket = await parts.stream_tickets.take(text)
        if ticket is None:
            raise not_authenticated("ticket_invalid", "the ticket is unknown, used or over; ask for another")
        bound = ticket.key_id is not None or ticket.session_hash is not None
        return Watcher(ticket.user_id, partial(parts.stream_tickets.still_holds, ticket) if bound else None)
    found = await caller(parts, request, Scope.JOBS_READ)
    asked_again = found.key_id is not None or found.by_cookie
    return Watcher(found.user_id, partial(_still_known, parts, request) if asked_again else None)


def while_allowed(who: Watcher, frames: Frames) -> Frames:
    """Pass a stream on until the key is revoked or the person has signed out; a token lasts as long as the stream."""
    return frames if who.may_go_on is None else _while_allowed(who.may_go_on, frames)


async def _while_allowed(may_go_on: Callable[[], Awaitable[bool]], frames: Frames) -> Frames:
    asked = time.monotonic()
    async with aclosing(frames):
        async for frame in frames:
            if time.monotonic() - asked > _ASK_AGAIN_SECONDS:
                if not await _may_go_on(may_go_on):
                    return
                asked = time.monotonic()
            yield frame


async def _may_go_on(ask: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await ask()
    except Exception as error:
        # A database that is away says nothing of the key.
        if not is_transient(error):
            raise
        return True


async def _still_known(parts: Parts, request: Request) -> bool:
    try:
        await caller_of(request, parts.identities, own_origins=frozenset())
    except Problem:
        return False
    return True
