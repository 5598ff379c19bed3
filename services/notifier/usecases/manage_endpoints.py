"""Manage endpoints: make, change, remove and rotate, for their owner alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from contracts.faults import Fault, RequestRefused
from contracts.ids import new_id
from services.notifier.channels import signatures
from services.notifier.channels.apprise import AppriseChannels, ChannelRefused, shown
from services.notifier.channels.signatures import Secret, SecretWeak
from services.notifier.queries import endpoints as queries
from services.notifier.store import deliveries, endpoints
from services.notifier.store.endpoints import Endpoint, EndpointValues
from services.notifier.usecases.seal_secrets import seal_headers, seal_secret
from services.runtime.addresses import AddressRefused
from services.runtime.database import Pool, transaction
from services.runtime.identity import Caller
from services.runtime.sealing import Sealer
from services.runtime.webhook_addresses import AddressRules

MOST_ENDPOINTS = 50
ROTATION_HOURS = 24
APPRISE = "apprise"
"""The dialect of channels: sentences for people."""


class EndpointConflict(Exception):
    """What is asked for does not go with what is there; `code` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class NotAllowed(Exception):
    """Only whoever may act for the organisation makes endpoints for it."""


@dataclass(frozen=True, slots=True)
class Made:
    """An endpoint, and its secrets in the clear: shown now and never again."""

    endpoint: Endpoint
    secrets: Sequence[Secret]


class ManageEndpoints:
    """The use case behind the console's writes."""

    def __init__(self, pool: Pool, sealer: Sealer, rules: AddressRules, channels: AppriseChannels) -> None:
        self._pool = pool
        self._sealer = sealer
        self._rules = rules
        self._channels = channels

    async def create(
        self, caller: Caller, values: EndpointValues, *, organization: bool, ed25519: bool, secret: str | None
    ) -> Made:
        """Make an endpoint; raises RequestRefused, EndpointConflict or NotAllowed."""
        if organization:
            values = replace(values, organization_id=await self._organization(caller))
        values = await self._checked(values)
        return await self._insert(caller, values, _secrets(values.dialect, secret, ed25519))

    async def create_channel(self, caller: Caller, values: EndpointValues, *, organization: bool) -> Endpoint:
        """Make a channel, whose secret is its address; raises what `create` raises."""
        if organization:
            values = replace(values, organization_id=await self._organization(caller))
        address = await self._channel(values.url)
        return (await self._insert(caller, replace(values, url=shown(values.url)), [address])).endpoint

    async def _insert(self, caller: Caller, values: EndpointValues, secrets: Sequence[Secret]) -> Made:
        endpoint_id = new_id()
        sealed = replace(values, headers=seal_headers(self._sealer, endpoint_id, values.headers))
        async with transaction(self._pool) as connection:
            if await endpoints.lock_owner(connection, caller.user_id) >= MOST_ENDPOINTS:
                raise EndpointConflict(
                    "too_many_endpoints", f"there may be {MOST_ENDPOINTS} endpoints; delete one that is not used"
                )
            if not await endpoints.insert(connection, endpoint_id, caller.user_id, sealed):
                raise _exists()
            await endpoints.insert_secrets(connection, [seal_secret(self._sealer, endpoint_id, one) for one in secrets])
            made = await queries.by_ids(connection, [endpoint_id])
        return Made(made[endpoint_id], secrets)

    async def change(self, caller: Caller, endpoint: Endpoint, changes: Mapping[str, Any]) -> Endpoint:
        """Change what was given; raises RequestRefused or EndpointConflict."""
        given = dict(changes)
        if endpoint.per_job and {"url", "kind_urls"} & given.keys():
            raise no_address()
        headers = given.pop("headers", None)
        state = given.pop("state", endpoint.state)
        kept = {name: getattr(endpoint, name) for name in EndpointValues.__slots__}
        values = EndpointValues(**{**kept, **given, "headers": {}, "state": state})
        channel = None
        if endpoint.dialect == APPRISE:
            channel = await self._channel(values.url) if "url" in given else None
            values = replace(values, url=shown(values.url) if channel else endpoint.url)
        elif {"url", "kind_urls"} & given.keys():
            values = await self._checked(values)
        sealed = endpoint.headers if headers is None else seal_headers(self._sealer, endpoint.id, headers)
        reason = None if state == "enabled" else (endpoint.reason or "owner")
        async with transaction(self._pool) as connection:
            try:
                await endpoints.update(
                    connection, endpoint.id, caller.user_id, replace(values, headers=sealed, reason=reason)
                )
            except asyncpg.UniqueViolationError:
                raise _exists() from None
            if channel is not None:
                await connection.execute(endpoints.RETIRE_SECRETS, endpoint.id, 0)
                await endpoints.insert_secrets(connection, [seal_secret(self._sealer, endpoint.id, channel)])
            if state == "disabled" and endpoint.state == "enabled":
                await connection.execute(deliveries.DROP_PENDING, endpoint.id)
            return await queries.one(connection, endpoint.id, caller.user_id) or endpoint

    async def delete(self, caller: Caller, endpoint: Endpoint) -> None:
        """Remove an endpoint with its secrets; what waits for it is dropped."""
        async with transaction(self._pool) as connection:
            await connection.execute(deliveries.DROP_PENDING, endpoint.id)
            await connection.execute(endpoints.DELETE_ENDPOINT, endpoint.id, caller.user_id)

    async def rotate(self, caller: Caller, endpoint: Endpoint, secret: str | None, overlap_hours: float) -> Made:
        """Make new secrets; the ones before stay valid for so many hours. Raises RequestRefused."""
        async with transaction(self._pool) as connection:
            await connection.execute(endpoints.LOCK_ENDPOINT, endpoint.id, caller.user_id)
            held = await queries.valid_secrets(connection, [endpoint.id])
            ed25519 = any(one.scheme == signatures.ED25519 for one in held.get(endpoint.id, []))
            secrets = _secrets(endpoint.dialect, secret, ed25519)
            await connection.execute(endpoints.RETIRE_SECRETS, endpoint.id, overlap_hours)
            await endpoints.insert_secrets(connection, [seal_secret(self._sealer, endpoint.id, one) for one in secrets])
        return Made(endpoint, secrets)

    async def _channel(self, address: str) -> Secret:
        try:
            return Secret(signatures.ADDRESS, (await self._channels.check(address)).encode())
        except ChannelRefused as refusal:
            raise RequestRefused([Fault("url", refusal.code, refusal.detail)]) from None

    async def _checked(self, values: EndpointValues) -> EndpointValues:
        openly = values.dialect == "legacy"
        url = await self._address("url", values.url, openly)
        kinds = {
            kind: await self._address(f"kind_urls.{kind}", address, openly)
            for kind, address in values.kind_urls.items()
        }
        return replace(values, url=url, kind_urls=kinds)

    async def _address(self, field: str, url: str, openly: bool) -> str:
        try:
            return await self._rules.check(url, carries_secret=openly)
        except AddressRefused as refusal:
            raise RequestRefused([Fault(field, refusal.code, refusal.detail)]) from None

    async def _organization(self, caller: Caller) -> str:
        organization = caller.organization_id
        if organization is None or not await queries.administers(self._pool, caller.user_id, organization):
            raise NotAllowed
        return organization


def no_address() -> EndpointConflict:
    """Build the refusal of what needs an address: the endpoint of jobs has none of its own."""
    return EndpointConflict("endpoint_without_address", "each job brings its own address; this endpoint has none")


def _exists() -> EndpointConflict:
    return EndpointConflict("endpoint_exists", "you have an endpoint of this address; change that one")


def _secrets(dialect: str, own: str | None, ed25519: bool) -> list[Secret]:
    try:
        if dialect == "legacy":
            return [signatures.own_shared(own) if own is not None else signatures.new_shared()]
        made = [signatures.own_hmac(own) if own is not None else signatures.new_hmac()]
    except SecretWeak:
        wanted = (
            "24 to 256 visible characters, and none that others know"
            if dialect == "legacy"
            else "whsec_ and 24 to 64 random bytes in base64"
        )
        raise RequestRefused([Fault("secret", "secret_weak", f"secret must be {wanted}")]) from None
    return [*made, signatures.new_ed25519()] if ed25519 else made
