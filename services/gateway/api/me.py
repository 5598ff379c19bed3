"""Who I am, as the API sees it."""

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from contracts.scopes import Scope, allowed_scopes
from services.gateway.api import schemas
from services.gateway.api.callers import any_caller
from services.gateway.parts import Parts
from services.gateway.queries import people
from services.runtime.identity import Caller
from services.runtime.problems import not_authenticated


class MyOrganization(BaseModel):
    """The active organisation."""

    id: str
    name: str | None
    role: str | None


class Me(BaseModel):
    """The caller."""

    user_id: str
    organization_id: str | None = Field(description="The active organisation, else the first one; null for none.")
    organization: MyOrganization | None
    email: str | None
    name: str | None
    scopes: list[Scope] = Field(description="What this token, key or session may do.")
    way: Literal["token", "key", "session"] = Field(description="How the caller proved who it is.")
    operator: bool
    actor: str | None = Field(description="Who is really there, when somebody is signed in as this person.")


def _way(caller: Caller) -> str:
    if caller.by_cookie:
        return "session"
    return "key" if caller.key_id else "token"


def me_router(parts: Parts) -> APIRouter:
    """Make GET /api/me."""
    router = APIRouter(prefix="/api", tags=["identity"])

    @router.get(
        "/me",
        summary="See who I am",
        operation_id="get_me",
        responses=schemas.problems(401, 403, 503) | {200: {"model": Me, "description": "The caller"}},
    )
    async def me(request: Request) -> JSONResponse:
        caller = await any_caller(parts, request)
        row = await people.profile(parts.pool, caller.user_id, caller.organization_id)
        if row is None:
            raise not_authenticated("user_unknown", "this user was removed; sign in again")
        organization = None
        if row["organization_id"] is not None:
            organization = {
                "id": row["organization_id"],
                "name": row["organization_name"],
                "role": caller.role or row["role"],
            }
        return JSONResponse(
            {
                "user_id": caller.user_id,
                "organization_id": caller.organization_id,
                "organization": organization,
                "email": row["email"],
                "name": row["name"],
                "scopes": sorted(allowed_scopes(caller.scopes, operator=caller.operator)),
                "way": _way(caller),
                "operator": caller.operator,
                "actor": caller.actor,
            },
            headers={"Cache-Control": "no-store"},
        )

    return router
