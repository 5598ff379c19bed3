"""Who is calling this notifier, and whether they may do this."""

from starlette.requests import Request

from contracts.scopes import PERSONAL, Scope
from services.notifier.parts import Parts
from services.runtime.callers import caller_of
from services.runtime.identity import Caller
from services.runtime.scopes import check_scope


async def caller(parts: Parts, request: Request, scope: Scope) -> Caller:
    """Return the caller who has this scope; raises a 401 or 403 problem."""
    found = await caller_of(request, parts.identities, own_origins=parts.own_origins)
    return check_scope(found, scope, of_a_person=PERSONAL)
