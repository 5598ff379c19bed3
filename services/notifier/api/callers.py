"""Who is calling this notifier, and whether they may do this, and go on watching."""

import time
from collections.abc import AsyncIterator
from contextlib import aclosing

from starlette.requests import Request

from contracts.scopes import Scope, allowed_scopes
from services.notifier.parts import Parts
from services.notifier.usecases.watch_jobs import Frames
from services.runtime.callers import caller_of
from services.runtime.database import is_transient
from services.runtime.identity import Caller
from services.runtime.logs import get_logger
from services.runtime.problems import Problem

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


async def while_allowed(parts: Parts, request: Request, caller: Caller, frames: Frames) -> AsyncIterator[bytes]:
    """Pass a stream on until the key is revoked or the person has signed out; a token lasts as long as the stream."""
    asked = time.monotonic()
    async with aclosing(frames):
        async for frame in frames:
            if (caller.key_id or caller.by_cookie) and time.monotonic() - asked > _ASK_AGAIN_SECONDS:
                if await _is_out(parts, request):
                    return
                asked = time.monotonic()
            yield frame


async def _is_out(parts: Parts, request: Request) -> bool:
    try:
        await caller_of(request, parts.identities, own_origins=frozenset())
    except Problem:
        return True
    except Exception as error:
        # A database that is away says nothing of the key.
        if not is_transient(error):
            raise
    return False
