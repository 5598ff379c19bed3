"""API keys: for programs that call without a person. The secret is told once, at its making."""

import unicodedata
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field
from starlette.responses import Response

from contracts.events import as_utc
from contracts.faults import fault
from contracts.scopes import Scope
from services.gateway.api import schemas
from services.gateway.api.callers import caller, request_id
from services.gateway.parts import Parts
from services.gateway.queries.keys import KeyView, keys_of
from services.gateway.usecases.create_key import MOST_KEYS, MakerRevoked, ScopesBeyondOwn, TooManyKeys, create_key
from services.gateway.usecases.revoke_key import KeyUnknown, revoke_key
from services.runtime.bodies import Body, read_body
from services.runtime.cursors import DEFAULT, MOST, cut_page, read_cursor, read_limit
from services.runtime.problems import Problem, not_authenticated

MOST_DAYS = 3_650
_PAGE: list[dict[str, Any]] = [
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT},
    },
    {
        "name": "cursor",
        "in": "query",
        "description": "The nextCursor of the page before.",
        "schema": {"type": "string"},
    },
]


def _name(text: str) -> str:
    text = text.strip()
    if not text:
        raise fault("name_empty", "name is empty; say what the key is for")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Cf") for character in text):
        raise fault("name_not_printable", "name holds a control character; write it without")
    return text


class KeyWanted(Body):
    """The key to make."""

    name: Annotated[str, Field(max_length=100), AfterValidator(_name)] = Field(description="What the key is for.")
    scopes: list[Annotated[Scope, Field(strict=False)]] = Field(
        min_length=1, max_length=len(Scope), description="What it may do; never more than its maker."
    )
    expires_in_days: int | None = Field(
        default=None, ge=1, le=MOST_DAYS, description="Left out, it lives until it is revoked."
    )


class Key(BaseModel):
    """A key, without its secret."""

    id: str
    prefix: str = Field(description="How the key begins: enough to recognise it, useless to sign in.")
    name: str
    scopes: list[Scope]
    created_at: str
    expires_at: str | None
    last_used_at: str | None = Field(description="To the minute.")


class MadeKey(Key):
    """A key that was just made."""

    secret: str = Field(description="Send it as `Authorization: Bearer …`. It is not shown again.")


class Keys(BaseModel):
    """A page of keys, newest first."""

    keys: list[Key]
    nextCursor: str | None


def _body(key: KeyView) -> dict[str, Any]:
    return {
        "id": key.id,
        "prefix": key.prefix,
        "name": key.name,
        "scopes": list(key.scopes),
        "created_at": as_utc(key.created_at),
        "expires_at": as_utc(key.expires_at) if key.expires_at else None,
        "last_used_at": as_utc(key.last_used_at) if key.last_used_at else None,
    }


def key_router(parts: Parts) -> APIRouter:
    """Make /api/keys."""
    router = APIRouter(prefix="/api/keys", tags=["keys"])

    @router.post(
        "",
        status_code=201,
        summary="Make an API key",
        operation_id="create_key",
        responses=schemas.problems(400, 401, 403, 409, 413, 415, 422, 503)
        | {201: {"model": MadeKey, "description": "The key; its secret is told this once"}},
        openapi_extra={"requestBody": schemas.json_body(KeyWanted)},
    )
    async def create(request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.ACCOUNT)
        wanted = await read_body(request, KeyWanted)
        try:
            made = await create_key(
                parts.pool,
                asking,
                wanted.name,
                wanted.scopes,
                wanted.expires_in_days,
                request_id=request_id(request),
            )
        except ScopesBeyondOwn as error:
            raise Problem(
                403, "scopes_beyond_own", "a key may not do what its maker may not", scopes=error.scopes
            ) from None
        except MakerRevoked:
            raise not_authenticated("key_revoked", "this API key was revoked; make one at /api/keys") from None
        except TooManyKeys:
            raise Problem(409, "too_many_keys", f"there are {MOST_KEYS} keys already; revoke one first") from None
        return JSONResponse(
            _body(made.view) | {"secret": made.secret}, status_code=201, headers={"Cache-Control": "no-store"}
        )

    @router.get(
        "",
        summary="List my API keys",
        operation_id="list_keys",
        responses=schemas.problems(400, 401, 403, 422, 503)
        | {200: {"model": Keys, "description": "Those that were not revoked, newest first"}},
        openapi_extra={"parameters": _PAGE},
    )
    async def listed(request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.ACCOUNT)
        limit = read_limit(request.query_params.get("limit")) or DEFAULT
        position = read_cursor(request.query_params.get("cursor"), asking.user_id, datetime, str)
        before = (position[0], position[1]) if position else None
        found = await keys_of(parts.own(asking.user_id), before=before, limit=limit + 1)
        shown, cursor = cut_page(found, limit, asking.user_id, lambda row: (row.created_at, row.id))
        return JSONResponse({"keys": [_body(key) for key in shown], "nextCursor": cursor})

    @router.delete(
        "/{key_id}",
        status_code=204,
        summary="Revoke an API key",
        operation_id="revoke_key",
        responses=schemas.problems(401, 403, 404, 503)
        | {204: {"description": "It is refused everywhere within a second"}},
    )
    async def revoke(key_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.ACCOUNT)
        try:
            await revoke_key(parts.pool, asking, key_id, request_id=request_id(request))
        except KeyUnknown:
            raise Problem(404, "key_not_found", "there is no key of this id among yours") from None
        return Response(status_code=204)

    return router
