"""Who is calling this notifier, and whether they may do this."""

from starlette.requests import Request

from contracts.scopes import PERSONAL, Scope
from services.notifier.parts import Parts
from services.runtime.callers import caller_of
from services.runtime.identity import Caller
from services.runtime.problems import Problem


async def caller(parts: Parts, request: Request, scope: Scope) -> Caller:
    """Return the caller who has this scope; raises a 401 or 403 problem."""
    found = await caller_of(request, parts.identities, own_origins=parts.own_origins)
    allowed = PERSONAL if found.scopes is None else found.scopes
    if scope not in allowed:
        raise Problem(403, "scope_missing", f"this needs the scope {scope}; use a key that has it")
    return found
