"""Who is calling this notifier, and whether they may watch."""

from starlette.requests import Request

from contracts.scopes import Scope, allowed_scopes
from services.notifier.parts import Parts
from services.runtime.callers import caller_of
from services.runtime.identity import Caller
from services.runtime.logs import get_logger
from services.runtime.problems import Problem

_log = get_logger(part="streams")


async def caller(parts: Parts, request: Request, scope: Scope) -> Caller:
    """Return the caller who has this scope; raises a 401 or 403 problem."""
    found = await caller_of(request, parts.identities, own_origins=frozenset())
    if scope not in allowed_scopes(found.scopes, operator=found.operator):
        raise Problem(403, "scope_missing", f"this needs the scope {scope}; use a key that has it")
    if found.impersonated:
        # The audit log is the gateway's to write.
        _log.info("somebody watches as another person", actor=found.actor, user_id=found.user_id)
    return found
