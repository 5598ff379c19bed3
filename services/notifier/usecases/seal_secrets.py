"""Seal secrets: what an endpoint's deliveries are signed with lies in the database only under a key of ours."""

import json
from collections.abc import Mapping, Sequence

from contracts.ids import new_id
from services.notifier.channels.signatures import Secret
from services.notifier.queries import endpoints as queries
from services.notifier.store import endpoints as store
from services.notifier.store.endpoints import Endpoint, SealedSecret
from services.runtime.database import Pool
from services.runtime.sealing import SealBroken, Sealer


def _place_of_secret(endpoint_id: str, secret_id: str) -> str:
    return f"webhook_secrets/{endpoint_id}/{secret_id}"


def _place_of_header(endpoint_id: str, name: str) -> str:
    return f"webhook_endpoints/{endpoint_id}/{name}"


def seal_secret(sealer: Sealer, endpoint_id: str, secret: Secret) -> SealedSecret:
    """Return the row of a secret."""
    secret_id = new_id()
    sealed = sealer.seal(secret.raw, _place_of_secret(endpoint_id, secret_id))
    return SealedSecret(secret_id, endpoint_id, secret.scheme, sealed, secret.public_key)


def open_secrets(sealer: Sealer, rows: Sequence[SealedSecret]) -> list[Secret]:
    """Return secrets in the clear, in the order of the rows; raises SealBroken."""
    return [
        Secret(row.scheme, sealer.open(row.sealed, _place_of_secret(row.endpoint_id, row.id)), row.public_key)
        for row in rows
    ]


def seal_headers(sealer: Sealer, endpoint_id: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers whose values are sealed."""
    return {name: sealer.seal(value.encode(), _place_of_header(endpoint_id, name)) for name, value in headers.items()}


async def reseal(pool: Pool, sealer: Sealer) -> int:
    """Seal a page of what an older key sealed with the current one, and return how many; that key may go then."""
    count = 0
    secrets, endpoints = await queries.sealed_before(pool, sealer.current)
    for row in secrets:
        place = _place_of_secret(row.endpoint_id, row.id)
        try:
            sealed = sealer.seal(sealer.open(row.sealed, place), place)
        except SealBroken:
            continue
        await pool.execute(store.RESEAL_SECRET, row.id, row.sealed, sealed)
        count += 1
    for endpoint in endpoints:
        try:
            headers = seal_headers(sealer, endpoint.id, open_headers(sealer, endpoint))
        except SealBroken:
            continue
        await pool.execute(store.RESEAL_HEADERS, endpoint.id, json.dumps(endpoint.headers), json.dumps(headers))
        count += 1
    return count


def open_headers(sealer: Sealer, endpoint: Endpoint) -> dict[str, str]:
    """Return an endpoint's own headers in the clear; raises SealBroken."""
    return {
        name: sealer.open(value, _place_of_header(endpoint.id, name)).decode()
        for name, value in endpoint.headers.items()
    }
