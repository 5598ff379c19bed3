"""The webhook console: endpoints of the caller, their secrets, and how they fare."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from contracts.faults import RequestRefused
from contracts.ids import is_safe_id
from contracts.scopes import Scope
from services.notifier.api import endpoint_bodies as bodies
from services.notifier.api.callers import caller
from services.notifier.api.endpoint_bodies import moment
from services.notifier.channels.signatures import ED25519
from services.notifier.parts import Parts
from services.notifier.queries import deliveries as delivery_queries
from services.notifier.queries import endpoints as queries
from services.notifier.store.endpoints import Endpoint, EndpointValues
from services.notifier.usecases.job_endpoints import ALIAS
from services.notifier.usecases.manage_endpoints import APPRISE, EndpointConflict, Made, ManageEndpoints, NotAllowed
from services.runtime.bodies import read_body, read_query, refused
from services.runtime.identity import Caller
from services.runtime.problem_documents import json_body, problems
from services.runtime.problems import Problem

PREFIX = "/api/webhook-endpoints"
ALWAYS = (401, 403, 503)
WRITES = (400, 409, 413, 415, 422)


def conflict(error: EndpointConflict) -> Problem:
    """Build the 409 of what does not go with what is there."""
    return Problem(409, error.code, error.detail)


def organization_admin_required() -> Problem:
    """Build the 403 of whoever may not act for the organisation."""
    return Problem(403, "organization_admin_required", "only an admin of the organisation makes endpoints for it")


def manager(parts: Parts) -> ManageEndpoints:
    """Return the use case, or raise a 503 problem where no secret can be sealed."""
    if parts.manage_endpoints is None:
        raise Problem(
            503, "encryption_key_unset", "set SORAMI_ENCRYPTION_KEYS; without it no secret of an endpoint can be kept"
        )
    return parts.manage_endpoints


async def own_endpoint(parts: Parts, owner: Caller, endpoint_id: str) -> Endpoint:
    """Return the caller's endpoint, `jobs` their own for jobs; raises one 404 for "not there" and "not yours"."""
    manager(parts)
    if endpoint_id == ALIAS:
        return (await parts.job_endpoints.of([owner.user_id]))[owner.user_id]
    found = await queries.one(parts.pool, endpoint_id, owner.user_id) if is_safe_id(endpoint_id) else None
    if found is None or found.dialect == APPRISE:
        raise Problem(404, "endpoint_not_found", "there is no webhook endpoint of this id among yours")
    return found


def answers(model: type[Any], status: int, description: str, *others: int) -> dict[int | str, dict[str, Any]]:
    """Describe a route's answers."""
    return {status: {"model": model, "description": description}} | problems(*sorted({*ALWAYS, *others}))


def endpoint_router(parts: Parts) -> APIRouter:  # noqa: C901, PLR0915 - seven routes, each a few lines
    """Make the routes of endpoints."""
    router = APIRouter(prefix=PREFIX, tags=["webhook endpoints"])

    @router.get(
        "",
        summary="My webhook endpoints",
        operation_id="list_webhook_endpoints",
        responses=answers(bodies.EndpointList, 200, "The oldest first"),
    )
    async def list_all(request: Request) -> JSONResponse:
        owner = await caller(parts, request, Scope.ACCOUNT)
        manager(parts)
        found = await queries.of_owner(parts.pool, owner.user_id)
        shown = await _shown(parts, [endpoint for endpoint in found if endpoint.dialect != APPRISE])
        return JSONResponse({"endpoints": shown})

    @router.post(
        "",
        status_code=201,
        summary="Make a webhook endpoint",
        description="The secret is shown in this answer and never again.",
        operation_id="create_webhook_endpoint",
        responses=answers(bodies.EndpointMade, 201, "Made; keep the secret", *WRITES),
        openapi_extra={"requestBody": json_body(bodies.NewEndpoint)},
    )
    async def create(request: Request) -> JSONResponse:
        owner = await caller(parts, request, Scope.ACCOUNT)
        manage = manager(parts)
        body = await read_body(request, bodies.NewEndpoint)
        apart = {"organization", "ed25519", "secret"}
        values = EndpointValues(**body.model_dump(exclude=apart))
        try:
            made = await manage.create(
                owner, values, organization=body.organization, ed25519=body.ed25519, secret=body.secret
            )
        except RequestRefused as error:
            raise refused(error.faults) from None
        except EndpointConflict as error:
            raise conflict(error) from None
        except NotAllowed:
            raise organization_admin_required() from None
        headers = {"Location": f"{PREFIX}/{made.endpoint.id}"}
        return JSONResponse(await _with_secret(parts, made), 201, headers)

    @router.get(
        "/{endpoint_id}",
        summary="One webhook endpoint",
        description="`jobs` stands for the endpoint that addresses of single jobs (`webhook_url`) are told under.",
        operation_id="show_webhook_endpoint",
        responses=answers(bodies.EndpointBody, 200, "The endpoint, without its secret", 404),
    )
    async def show(endpoint_id: str, request: Request) -> JSONResponse:
        owner = await caller(parts, request, Scope.ACCOUNT)
        endpoint = await own_endpoint(parts, owner, endpoint_id)
        return JSONResponse((await _shown(parts, [endpoint]))[0])

    @router.patch(
        "/{endpoint_id}",
        summary="Change, disable or enable a webhook endpoint",
        operation_id="change_webhook_endpoint",
        responses=answers(bodies.EndpointBody, 200, "As it is now", 404, *WRITES),
        openapi_extra={"requestBody": json_body(bodies.EndpointChanges)},
    )
    async def change(endpoint_id: str, request: Request) -> JSONResponse:
        owner = await caller(parts, request, Scope.ACCOUNT)
        endpoint = await own_endpoint(parts, owner, endpoint_id)
        body = await read_body(request, bodies.EndpointChanges)
        try:
            changed = await manager(parts).change(owner, endpoint, body.given())
        except RequestRefused as error:
            raise refused(error.faults) from None
        except EndpointConflict as error:
            raise conflict(error) from None
        return JSONResponse((await _shown(parts, [changed]))[0])

    @router.delete(
        "/{endpoint_id}",
        status_code=204,
        summary="Remove a webhook endpoint",
        operation_id="delete_webhook_endpoint",
        responses=problems(404, *ALWAYS) | {204: {"description": "Removed; what waited for it is dropped"}},
    )
    async def delete(endpoint_id: str, request: Request) -> Response:
        owner = await caller(parts, request, Scope.ACCOUNT)
        endpoint = await own_endpoint(parts, owner, endpoint_id)
        await manager(parts).delete(owner, endpoint)
        return Response(status_code=204)

    @router.post(
        "/{endpoint_id}/rotate",
        summary="Make a new secret; the one before stays valid for a while",
        operation_id="rotate_webhook_secret",
        responses=answers(bodies.EndpointMade, 200, "The new secret, shown this once", 404, *WRITES),
        openapi_extra={"requestBody": json_body(bodies.Rotation)},
    )
    async def rotate(endpoint_id: str, request: Request) -> JSONResponse:
        owner = await caller(parts, request, Scope.ACCOUNT)
        endpoint = await own_endpoint(parts, owner, endpoint_id)
        body = await read_body(request, bodies.Rotation)
        try:
            made = await manager(parts).rotate(owner, endpoint, body.secret, body.overlap_hours)
        except RequestRefused as error:
            raise refused(error.faults) from None
        return JSONResponse(await _with_secret(parts, made))

    @router.get(
        "/{endpoint_id}/stats",
        summary="How a webhook endpoint fares",
        operation_id="show_webhook_statistics",
        responses=answers(bodies.Statistics, 200, "Counts since a moment, a day by default", 404, 422),
        openapi_extra={"parameters": [SINCE]},
    )
    async def statistics(endpoint_id: str, request: Request) -> JSONResponse:
        owner = await caller(parts, request, Scope.ACCOUNT)
        endpoint = await own_endpoint(parts, owner, endpoint_id)
        since = read_query(request, bodies.StatisticsQuery).since or datetime.now(UTC) - timedelta(days=1)
        found = await delivery_queries.statistics(parts.pool, endpoint.id, since)
        return JSONResponse(bodies.Statistics(since=str(moment(since)), **found).model_dump(mode="json"))

    return router


SINCE: dict[str, Any] = {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}}


async def _shown(parts: Parts, endpoints: list[Endpoint]) -> list[dict[str, Any]]:
    secrets = await queries.secrets_shown(parts.pool, [endpoint.id for endpoint in endpoints])
    return [_body(endpoint, secrets.get(endpoint.id, [])) for endpoint in endpoints]


def _body(endpoint: Endpoint, secrets: list[dict[str, Any]]) -> dict[str, Any]:
    shown = {
        name: getattr(endpoint, name)
        for name in bodies.EndpointBody.model_fields
        if name not in ("header_names", "secrets", "failing_since", "created_at", "updated_at")
    }
    return bodies.EndpointBody(
        **shown,
        header_names=sorted(endpoint.headers),
        failing_since=moment(endpoint.failing_since),
        created_at=str(moment(endpoint.created_at)),
        updated_at=str(moment(endpoint.updated_at)),
        secrets=[
            bodies.SecretShown(
                id=secret["id"],
                scheme=secret["scheme"],
                public_key=secret["public_key"],
                created_at=str(moment(secret["created_at"])),
                expires_at=moment(secret["expires_at"]),
            )
            for secret in secrets
        ],
    ).model_dump(mode="json")


async def _with_secret(parts: Parts, made: Made) -> dict[str, Any]:
    body = (await _shown(parts, [made.endpoint]))[0]
    public = next((secret.public_key for secret in made.secrets if secret.scheme == ED25519), None)
    secret = next(secret for secret in made.secrets if secret.scheme != ED25519)
    return {**body, "secret": secret.shown, "public_key": public}
