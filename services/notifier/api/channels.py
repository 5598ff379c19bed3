"""Channels: mail, chats and telephones that tell their owner how jobs end, in sentences."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.responses import Response

from contracts.faults import RequestRefused
from contracts.ids import is_safe_id
from contracts.scopes import Scope
from services.notifier.api.callers import caller
from services.notifier.api.deliveries import deliveries_page, one_delivery
from services.notifier.api.endpoint_bodies import DeliveryBody, DeliveryPage, Description, Kinds, Types, moment
from services.notifier.api.endpoints import ALWAYS, WRITES, answers, conflict, manager, organization_admin_required
from services.notifier.parts import Parts
from services.notifier.queries import endpoints as queries
from services.notifier.store.endpoints import Endpoint, EndpointValues
from services.notifier.usecases.manage_endpoints import APPRISE, EndpointConflict, NotAllowed
from services.runtime.bodies import Body, read_body, refused
from services.runtime.cursors import MOST
from services.runtime.identity import Caller
from services.runtime.problem_documents import json_body, problems
from services.runtime.problems import Problem

PREFIX = "/api/channels"
Address = Annotated[str, Field(min_length=1, max_length=2_048)]
Digest = Annotated[int, Field(ge=0, le=86_400)]
Language = Literal["fr", "en"]


class NewChannel(Body):
    """A channel as it is made."""

    url: Address = Field(description="An address of apprise, as in discord://… or mailto://…; kept as a secret.")
    event_types: Types = Field(default=None, description="What to be told of; every ending when left out.")
    kinds: Kinds = Field(default=None, description="Kinds of media; all when left out.")
    description: Description = None
    digest_seconds: Digest = Field(
        default=60, description="Seconds between two messages; what comes between is told together."
    )
    language: Language = "fr"
    organization: bool = Field(default=False, description="All jobs of the caller's organisation; for its admins.")


class ChannelChanges(Body):
    """What may be changed of a channel; what is left out stays."""

    url: Address | None = None
    event_types: Types = None
    kinds: Kinds = None
    description: Description = None
    digest_seconds: Digest | None = None
    language: Language | None = None
    state: Literal["enabled", "disabled"] | None = None

    def given(self) -> dict[str, Any]:
        """Return what was sent; null empties what may be empty and changes nothing else."""
        emptied = {"event_types", "kinds", "description"}
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in sent.items() if value is not None or name in emptied}


class ChannelBody(BaseModel):
    """A channel; of its address the service and a mark that tells it from others."""

    id: str
    url: str
    event_types: list[str] | None
    kinds: list[str] | None
    description: str | None
    organization_id: str | None
    digest_seconds: int
    language: Language
    state: Literal["enabled", "disabled"]
    reason: str | None = Field(description="Why it is disabled: owner, or failing.")
    failing_since: str | None
    created_at: str
    updated_at: str


class ChannelList(BaseModel):
    """All channels of the caller."""

    channels: list[ChannelBody]


def channel_router(parts: Parts) -> APIRouter:  # noqa: C901 - seven routes, each a few lines
    """Make the routes of channels."""
    router = APIRouter(prefix=PREFIX, tags=["channels"])

    async def own(channel_id: str, request: Request) -> tuple[Caller, Endpoint]:
        owner = await caller(parts, request, Scope.ACCOUNT)
        manager(parts)
        found = await queries.one(parts.pool, channel_id, owner.user_id) if is_safe_id(channel_id) else None
        if found is None or found.dialect != APPRISE:
            raise Problem(404, "channel_not_found", "there is no channel of this id among yours")
        return owner, found

    @router.get("", summary="My channels", operation_id="list_channels",
                responses=answers(ChannelList, 200, "The oldest first"))  # fmt: skip
    async def list_all(request: Request) -> JSONResponse:
        owner = await caller(parts, request, Scope.ACCOUNT)
        manager(parts)
        found = await queries.of_owner(parts.pool, owner.user_id)
        return JSONResponse({"channels": [_body(one) for one in found if one.dialect == APPRISE]})

    @router.post(
        "",
        status_code=201,
        summary="Be told by mail, chat or telephone",
        operation_id="create_channel",
        responses=answers(ChannelBody, 201, "Made", *WRITES),
        openapi_extra={"requestBody": json_body(NewChannel)},
    )
    async def create(request: Request) -> JSONResponse:
        owner = await caller(parts, request, Scope.ACCOUNT)
        manage = manager(parts)
        body = await read_body(request, NewChannel)
        values = EndpointValues(dialect=APPRISE, **body.model_dump(exclude={"organization"}))
        try:
            made = await manage.create_channel(owner, values, organization=body.organization)
        except RequestRefused as error:
            raise refused(error.faults) from None
        except EndpointConflict as error:
            raise conflict(error) from None
        except NotAllowed:
            raise organization_admin_required() from None
        return JSONResponse(_body(made), 201, {"Location": f"{PREFIX}/{made.id}"})

    @router.get("/{channel_id}", summary="One channel", operation_id="show_channel",
                responses=answers(ChannelBody, 200, "The channel", 404))  # fmt: skip
    async def show(channel_id: str, request: Request) -> JSONResponse:
        _, channel = await own(channel_id, request)
        return JSONResponse(_body(channel))

    @router.patch(
        "/{channel_id}",
        summary="Change, disable or enable a channel",
        operation_id="change_channel",
        responses=answers(ChannelBody, 200, "As it is now", 404, *WRITES),
        openapi_extra={"requestBody": json_body(ChannelChanges)},
    )
    async def change(channel_id: str, request: Request) -> JSONResponse:
        owner, channel = await own(channel_id, request)
        body = await read_body(request, ChannelChanges)
        try:
            changed = await manager(parts).change(owner, channel, body.given())
        except RequestRefused as error:
            raise refused(error.faults) from None
        except EndpointConflict as error:
            raise conflict(error) from None
        return JSONResponse(_body(changed))

    @router.delete(
        "/{channel_id}",
        status_code=204,
        summary="Remove a channel",
        operation_id="delete_channel",
        responses=problems(404, *ALWAYS) | {204: {"description": "Removed; what waited for it is dropped"}},
    )
    async def delete(channel_id: str, request: Request) -> Response:
        owner, channel = await own(channel_id, request)
        await manager(parts).delete(owner, channel)
        return Response(status_code=204)

    @router.post("/{channel_id}/test", status_code=202, summary="Send a test message", operation_id="test_channel",
                 responses=answers(DeliveryBody, 202, "On its way", 404, 409))  # fmt: skip
    async def test(channel_id: str, request: Request) -> JSONResponse:
        _, channel = await own(channel_id, request)
        try:
            delivery_id = await parts.send_again.test(channel)
        except EndpointConflict as error:
            raise conflict(error) from None
        return JSONResponse(await one_delivery(parts, channel, delivery_id, DeliveryBody), 202)

    @router.get(
        "/{channel_id}/deliveries",
        summary="What was told by a channel, and what came of it",
        operation_id="list_channel_deliveries",
        responses=answers(DeliveryPage, 200, "The newest first", 400, 404, 422),
        openapi_extra={
            "parameters": [
                {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MOST}},
                {"name": "cursor", "in": "query", "schema": {"type": "string"}},
            ]
        },
    )
    async def deliveries(channel_id: str, request: Request) -> JSONResponse:
        owner, channel = await own(channel_id, request)
        return JSONResponse(await deliveries_page(parts, request, owner.user_id, channel))

    return router


def _body(channel: Endpoint) -> dict[str, Any]:
    same = ("id", "url", "event_types", "kinds", "description", "organization_id", "digest_seconds", "language",
            "state", "reason")  # fmt: skip
    return ChannelBody(
        **{name: getattr(channel, name) for name in same},
        failing_since=moment(channel.failing_since),
        created_at=str(moment(channel.created_at)),
        updated_at=str(moment(channel.updated_at)),
    ).model_dump(mode="json")
