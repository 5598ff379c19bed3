"""Who is calling this gateway, and whether they may do this."""

from starlette.requests import Request

from contracts.scopes import Scope, allowed_scopes
from services.gateway.parts import Parts
from services.runtime.callers import SAFE_METHODS, caller_of, impersonation_read_only
from services.runtime.identity import Caller
from services.runtime.problems import Problem
from services.runtime.tracing import trace_id


async def caller(parts: Parts, request: Request, scope: Scope) -> Caller:
    """Return the caller who has this scope; raises a 401 or 403 problem."""
    found = await any_caller(parts, request)
    if scope not in allowed_scopes(found.scopes, operator=found.operator):
        raise Problem(403, "scope_missing", f"this needs the scope {scope}; use a key that has it")
    return found


async def any_caller(parts: Parts, request: Request) -> Caller:
    """Return the caller, whatever its scopes; raises a 401 or 403 problem."""
    # Refused here rather than there, so that the attempt is logged first.
    found = await caller_of(request, parts.identities, own_origins=parts.own_origins, impersonated_writes=True)
    if found.impersonated:
        await _check_impersonation(parts, request, found)
    return found


def request_id(request: Request) -> str | None:
    """Return what the caller's own logs call this request: the id of its trace, when it sent one."""
    return trace_id(request.headers.get("traceparent"))


async def _check_impersonation(parts: Parts, request: Request, found: Caller) -> None:
    """Log who really looks, and refuse changes: whoever helps somebody may look and change nothing."""
    route = f"{request.method} {request.scope['route']}"
    if request.method in SAFE_METHODS:
        await parts.log_impersonation.read(parts.pool, found, route, request_id=request_id(request))
        return
    allowed = parts.settings.allow_impersonated_writes
    await parts.log_impersonation.write(parts.pool, found, route, allowed=allowed, request_id=request_id(request))
    if not allowed:
        raise impersonation_read_only()
