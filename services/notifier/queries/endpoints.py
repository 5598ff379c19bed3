"""Webhook endpoints as their owner and the sender read them."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.events import JobUpdated
from services.notifier.store.endpoints import Endpoint, SealedSecret
from services.runtime.database import Connection, Pool

_COLUMNS = """e.id, e.owner_id, e.organization_id, e.url, e.kind_urls, e.dialect, e.event_types, e.kinds, e.description,
    e.headers, e.state, e.reason, e.active_since, e.failing_since, e.noticed_at, e.throttle_per_second, e.ordered,
    e.thin, e.created_at, e.updated_at, e.per_job, e.digest_seconds, e.language"""

# An organisation's endpoint works as long as whoever made it may act for the organisation.
_MAY_ACT = """EXISTS (SELECT FROM organization_memberships m WHERE m."userId" = e.owner_id
              AND m."organizationId" = e.organization_id AND lower(m.role::text) IN ('owner', 'admin', 'org:admin'))"""

_ENDING = """CASE j.data->>'status' WHEN 'COMPLETED' THEN 'job.completed'
           WHEN 'FAILED' THEN 'job.failed' ELSE 'job.cancelled' END"""
_WANTED = f"""(e.kinds IS NULL OR j.data->>'kind' = ANY(e.kinds))
      AND (e.event_types IS NULL OR {_ENDING} = ANY(e.event_types))
      AND (NOT e.per_job OR EXISTS (SELECT FROM sorami.job_webhooks w WHERE w.job_id = j.job_id
                                    AND (w.event_types IS NULL OR {_ENDING} = ANY(w.event_types))))"""

_OF_OWNER = f"""
    SELECT {_COLUMNS} FROM sorami.webhook_endpoints e
    WHERE e.owner_id = $1 AND NOT e.per_job ORDER BY e.created_at, e.id
"""  # noqa: S608 - constants
_ONE = f"SELECT {_COLUMNS} FROM sorami.webhook_endpoints e WHERE e.id = $1 AND e.owner_id = $2"  # noqa: S608
_BY_IDS = f"SELECT {_COLUMNS} FROM sorami.webhook_endpoints e WHERE e.id = ANY($1::text[])"  # noqa: S608
_SECRETS = """
    SELECT id, endpoint_id, scheme, sealed, public_key FROM sorami.webhook_secrets
    WHERE endpoint_id = ANY($1::text[]) AND (expires_at IS NULL OR expires_at > now()) ORDER BY created_at DESC, id DESC
"""
_SECRETS_SHOWN = """
    SELECT id, endpoint_id, scheme, public_key, created_at, expires_at FROM sorami.webhook_secrets
    WHERE endpoint_id = ANY($1::text[]) AND (expires_at IS NULL OR expires_at > now()) ORDER BY created_at DESC, id DESC
"""
_SUBSCRIBERS = f"""
    SELECT {_COLUMNS} FROM sorami.webhook_endpoints e
    WHERE e.state = 'enabled' AND NOT e.per_job AND e.organization_id IS NULL AND e.owner_id = ANY($1::text[])
    UNION ALL
    SELECT {_COLUMNS} FROM sorami.webhook_endpoints e
    WHERE e.state = 'enabled' AND e.organization_id = ANY($2::text[]) AND {_MAY_ACT}
"""  # noqa: S608 - constants
_PER_JOB = f"SELECT {_COLUMNS} FROM sorami.webhook_endpoints e WHERE e.per_job AND e.owner_id = ANY($1::text[])"  # noqa: S608
_JOB_WEBHOOKS = "SELECT job_id, url, event_types FROM sorami.job_webhooks WHERE job_id = ANY($1::text[])"
_WITHOUT_JOB_ENDPOINT = """
    SELECT DISTINCT j.user_id FROM sorami.job_events j JOIN sorami.job_webhooks w ON w.job_id = j.job_id
    WHERE j.at < now() - $1 * interval '1 second' AND j.at >= $2
      AND NOT EXISTS (SELECT FROM sorami.webhook_endpoints e WHERE e.per_job AND e.owner_id = j.user_id)
    LIMIT 200
"""
_ADMINISTERS = """
    SELECT EXISTS (SELECT FROM organization_memberships m WHERE m."userId" = $1 AND m."organizationId" = $2
                   AND lower(m.role::text) IN ('owner', 'admin', 'org:admin'))
"""
# Endings after $2 and before $1 seconds ago that an endpoint, which was there at the time, has no delivery of.
_UNPLANNED = f"""
    SELECT e.id AS endpoint, j.data
    FROM sorami.job_events j JOIN sorami.webhook_endpoints e
      ON e.state = 'enabled' AND (e.organization_id IS NULL AND e.owner_id = j.user_id
                                  OR e.organization_id = j.data->>'organization_id' AND {_MAY_ACT})
    WHERE j.at < now() - $1 * interval '1 second' AND j.at >= $2 AND j.at > e.active_since
      AND j.data->>'status' IN ('COMPLETED', 'FAILED', 'CANCELLED') AND {_WANTED}
      AND NOT EXISTS (SELECT FROM sorami.deliveries d
                      WHERE d.endpoint = e.id AND d.event_id = j.job_id || '/job.updated.v1/' || j.seq)
    ORDER BY j.at LIMIT 200
"""  # noqa: S608 - constants
# The same for an endpoint of the operator's, since it has been in use; $5 whether also of an application's own rows.
_UNPLANNED_OF_OPERATOR = """
    SELECT j.data FROM sorami.job_events j
    WHERE j.at < now() - $2 * interval '1 second' AND j.at >= $4
      AND j.at > coalesce((SELECT min(d.created_at) FROM sorami.deliveries d WHERE d.endpoint = $1), 'infinity')
      AND ($5 OR NOT EXISTS (SELECT FROM sorami.jobs a WHERE a.id = j.job_id AND a.origin = 'application'))
      AND j.data->>'kind' = $3 AND j.data->>'status' IN ('COMPLETED', 'FAILED', 'CANCELLED')
      AND NOT EXISTS (SELECT FROM sorami.deliveries d
                      WHERE d.endpoint = $1 AND d.event_id = j.job_id || '/job.updated.v1/' || j.seq)
    ORDER BY j.at LIMIT 200
"""
# Endings of what the endpoint listens to that it never got a delivery of.
_MISSED = f"""
    SELECT j.at, j.job_id, j.data
    FROM sorami.job_events j JOIN sorami.webhook_endpoints e
      ON e.id = $1 AND (e.organization_id IS NULL AND e.owner_id = j.user_id
                        OR e.organization_id = j.data->>'organization_id')
    WHERE (j.at, j.job_id) > ($2, $3) AND j.data->>'status' IN ('COMPLETED', 'FAILED', 'CANCELLED') AND {_WANTED}
      AND NOT EXISTS (SELECT FROM sorami.deliveries d
                      WHERE d.endpoint = e.id AND d.event_id = j.job_id || '/job.updated.v1/' || j.seq)
    ORDER BY j.at, j.job_id LIMIT $4
"""  # noqa: S608 - constants
_SEALED_BEFORE = """
    SELECT id, endpoint_id, scheme, sealed, public_key FROM sorami.webhook_secrets
    WHERE split_part(sealed, ':', 1) <> $1 ORDER BY id LIMIT 500
"""
_HEADERS_SEALED_BEFORE = f"""
    SELECT {_COLUMNS} FROM sorami.webhook_endpoints e
    WHERE EXISTS (SELECT FROM jsonb_each_text(e.headers) h WHERE split_part(h.value, ':', 1) <> $1)
    ORDER BY e.id LIMIT 500
"""  # noqa: S608 - constants
_CLOCK = "SELECT now() - $1 * interval '1 second'"


async def of_owner(executor: Pool | Connection, owner_id: str) -> list[Endpoint]:
    """Return an owner's endpoints, the oldest first."""
    return [_endpoint(row) for row in await executor.fetch(_OF_OWNER, owner_id)]


async def one(executor: Pool | Connection, endpoint_id: str, owner_id: str) -> Endpoint | None:
    """Return an endpoint of this owner."""
    row = await executor.fetchrow(_ONE, endpoint_id, owner_id)
    return _endpoint(row) if row else None


async def by_ids(executor: Pool | Connection, ids: Collection[str]) -> dict[str, Endpoint]:
    """Return endpoints by id, whoever owns them."""
    return {row["id"]: _endpoint(row) for row in await executor.fetch(_BY_IDS, list(ids))}


async def valid_secrets(executor: Pool | Connection, ids: Collection[str]) -> dict[str, list[SealedSecret]]:
    """Return the valid secrets of endpoints, the newest first."""
    found: dict[str, list[SealedSecret]] = {}
    for row in await executor.fetch(_SECRETS, list(ids)):
        found.setdefault(row["endpoint_id"], []).append(SealedSecret(**dict(row)))
    return found


async def secrets_shown(pool: Pool, ids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """Return what may be shown of the valid secrets of endpoints."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in await pool.fetch(_SECRETS_SHOWN, list(ids)):
        shown = dict(row)
        found.setdefault(shown.pop("endpoint_id"), []).append(shown)
    return found


async def subscribers(pool: Pool, events: Sequence[JobUpdated]) -> list[Endpoint]:
    """Return the enabled endpoints of the owners and organisations of these jobs."""
    owners = {event.user_id for event in events}
    organizations = {event.organization_id for event in events if event.organization_id}
    return [_endpoint(row) for row in await pool.fetch(_SUBSCRIBERS, list(owners), list(organizations))]


@dataclass(frozen=True, slots=True)
class JobWebhook:
    """Where a single job wants to be told, and of what; None is all."""

    url: str
    event_types: Sequence[str] | None

    def wants(self, type_: str) -> bool:
        """Tell whether it asked to hear of this."""
        return self.event_types is None or type_ in self.event_types


async def job_webhooks(pool: Pool, job_ids: Collection[str]) -> dict[str, JobWebhook]:
    """Return what jobs brought, by job."""
    rows = await pool.fetch(_JOB_WEBHOOKS, list(job_ids))
    return {row["job_id"]: JobWebhook(row["url"], row["event_types"]) for row in rows}


async def per_job(pool: Pool, owner_ids: Collection[str]) -> dict[str, Endpoint]:
    """Return the endpoints that what jobs bring is sent under, by owner."""
    found = [_endpoint(row) for row in await pool.fetch(_PER_JOB, list(owner_ids))]
    return {endpoint.owner_id: endpoint for endpoint in found}


async def owners_without_job_endpoint(pool: Pool, older_than_seconds: float, since: datetime) -> list[str]:
    """Return owners of jobs that brought an address and moved since then, who have no endpoint to send under."""
    rows = await pool.fetch(_WITHOUT_JOB_ENDPOINT, older_than_seconds, since)
    return [row["user_id"] for row in rows]


async def administers(pool: Pool, user_id: str, organization_id: str) -> bool:
    """Tell whether a person may act for an organisation."""
    return bool(await pool.fetchval(_ADMINISTERS, user_id, organization_id))


async def unplanned(pool: Pool, older_than_seconds: float, since: datetime) -> list[tuple[str, JobUpdated]]:
    """Return endings that nobody planned to tell, with the endpoint each."""
    rows = await pool.fetch(_UNPLANNED, older_than_seconds, since)
    return [(row["endpoint"], JobUpdated.model_validate_json(row["data"])) for row in rows]


async def unplanned_of_operator(
    pool: Pool, endpoint: str, kind: str, older_than_seconds: float, since: datetime, *, shared: bool
) -> list[JobUpdated]:
    """Return endings of a kind that the operator's endpoint was not told; of an application's own rows if `shared`."""
    rows = await pool.fetch(_UNPLANNED_OF_OPERATOR, endpoint, older_than_seconds, kind, since, shared)
    return [JobUpdated.model_validate_json(row["data"]) for row in rows]


async def missed(
    pool: Pool, endpoint_id: str, after: tuple[datetime, str], most: int
) -> list[tuple[datetime, JobUpdated]]:
    """Return a page of the endings after a moment and job id that an endpoint has no delivery of."""
    rows = await pool.fetch(_MISSED, endpoint_id, *after, most)
    return [(row["at"], JobUpdated.model_validate_json(row["data"])) for row in rows]


async def sealed_before(pool: Pool, key: str) -> tuple[list[SealedSecret], list[Endpoint]]:
    """Return secrets, and endpoints with headers, that another key than this one sealed."""
    secrets = [SealedSecret(**dict(row)) for row in await pool.fetch(_SEALED_BEFORE, key)]
    return secrets, [_endpoint(row) for row in await pool.fetch(_HEADERS_SEALED_BEFORE, key)]


async def moment(pool: Pool, seconds_ago: float) -> datetime:
    """Return a moment by the database's clock."""
    found: datetime = await pool.fetchval(_CLOCK, seconds_ago)
    return found


def _endpoint(row: Any) -> Endpoint:
    values = dict(row)
    values["kind_urls"] = json.loads(values["kind_urls"])
    values["headers"] = json.loads(values["headers"])
    return Endpoint(**values)
