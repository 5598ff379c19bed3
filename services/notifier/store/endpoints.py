"""Webhook endpoints and their sealed secrets."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from services.runtime.database import Connection, Pool
from services.runtime.outbox import OutboxColumns, OutboxRow, Sendable, as_rows, insert_statement

# lock_owner: creations of one owner follow one another, so that the limit holds.
LOCK_OWNER = "SELECT pg_advisory_xact_lock(hashtextextended('webhook endpoints of ' || $1::text, 0))"
COUNT_ENDPOINTS = "SELECT count(*) FROM sorami.webhook_endpoints WHERE owner_id = $1 AND NOT per_job"

INSERT_ENDPOINT = """
    INSERT INTO sorami.webhook_endpoints (id, owner_id, organization_id, url, kind_urls, dialect, event_types, kinds,
           description, headers, throttle_per_second, ordered, thin, digest_seconds, language, state, reason)
    VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7::text[], $8::text[], $9, $10::jsonb, $11, $12, $13, $14, $15, $16, $17)
    ON CONFLICT (owner_id, url) DO NOTHING RETURNING id
"""

# insert_job_endpoint: it was there from the beginning, so that nothing that a job asked for is older.
INSERT_JOB_ENDPOINT = """
    INSERT INTO sorami.webhook_endpoints (id, owner_id, url, per_job, active_since) VALUES ($1, $2, '', true, 'epoch')
    ON CONFLICT (owner_id, url) DO NOTHING RETURNING id
"""

# update_endpoint: whoever enables it begins anew.
UPDATE_ENDPOINT = """
    UPDATE sorami.webhook_endpoints SET organization_id = $3, url = $4, kind_urls = $5::jsonb,
           event_types = $6::text[], kinds = $7::text[], description = $8, headers = $9::jsonb,
           throttle_per_second = $10, ordered = $11, thin = $12, digest_seconds = $15, language = $16, state = $13,
           reason = $14, updated_at = now(),
           active_since = CASE WHEN $13 = 'enabled' AND state <> 'enabled' THEN now() ELSE active_since END,
           failing_since = CASE WHEN $13 = 'enabled' AND state <> 'enabled' THEN NULL ELSE failing_since END,
           noticed_at = CASE WHEN $13 = 'enabled' AND state <> 'enabled' THEN NULL ELSE noticed_at END
    WHERE id = $1 AND owner_id = $2
"""

DELETE_ENDPOINT = "DELETE FROM sorami.webhook_endpoints WHERE id = $1 AND owner_id = $2 RETURNING id"

LOCK_ENDPOINT = "SELECT id FROM sorami.webhook_endpoints WHERE id = $1 AND owner_id = $2 FOR UPDATE"

INSERT_SECRETS = """
    INSERT INTO sorami.webhook_secrets (id, endpoint_id, scheme, sealed, public_key)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
"""

# retire_secrets: the newest stays valid for a while beside the one to come; older ones end now.
RETIRE_SECRETS = """
    WITH ranked AS (
        SELECT id, row_number() OVER (PARTITION BY scheme ORDER BY created_at DESC, id DESC) AS place
        FROM sorami.webhook_secrets WHERE endpoint_id = $1
    ), over AS (
        DELETE FROM sorami.webhook_secrets s USING ranked r
        WHERE s.id = r.id AND (r.place > 1 OR s.expires_at <= now())
    )
    UPDATE sorami.webhook_secrets s SET expires_at = now() + $2 * interval '1 hour'
    FROM ranked r WHERE s.id = r.id AND r.place = 1 AND (s.expires_at IS NULL OR s.expires_at > now())
"""

# reseal: only where the row still holds what was read.
RESEAL_SECRET = "UPDATE sorami.webhook_secrets SET sealed = $3 WHERE id = $1 AND sealed = $2"  # noqa: S105 - SQL
RESEAL_HEADERS = "UPDATE sorami.webhook_endpoints SET headers = $3::jsonb WHERE id = $1 AND headers = $2::jsonb"

# healthy and failing: the row is touched only when that changes.
NOTE_HEALTHY = """
    UPDATE sorami.webhook_endpoints SET failing_since = NULL, noticed_at = NULL
    WHERE id = ANY($1::text[]) AND failing_since IS NOT NULL
"""
NOTE_FAILING = """
    UPDATE sorami.webhook_endpoints SET failing_since = now()
    WHERE id = ANY($1::text[]) AND failing_since IS NULL
"""

DISABLE_ENDPOINT = """
    UPDATE sorami.webhook_endpoints SET state = 'disabled', reason = $2, updated_at = now()
    WHERE id = $1 AND state = 'enabled' RETURNING id
"""
NOTE_NOTICED = """
    UPDATE sorami.webhook_endpoints SET noticed_at = now() WHERE id = $1 AND noticed_at IS NULL RETURNING id
"""

# take_turns: the first of so many turns, in seconds from now; those of one endpoint follow one another everywhere.
TAKE_TURNS = """
    UPDATE sorami.webhook_endpoints
    SET throttle_at = greatest(throttle_at, clock_timestamp()) + $2::int * interval '1 second' / throttle_per_second
    WHERE id = $1 AND throttle_per_second IS NOT NULL
    RETURNING extract(epoch FROM throttle_at - $2::int * interval '1 second' / throttle_per_second
                      - clock_timestamp())::float8
"""

PUT_EVENTS = insert_statement("notifier")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook endpoint as its row says; the values of `headers` are sealed."""

    id: str
    owner_id: str
    organization_id: str | None
    url: str
    kind_urls: Mapping[str, str]
    dialect: str
    event_types: Sequence[str] | None
    kinds: Sequence[str] | None
    description: str | None
    headers: Mapping[str, str]
    state: str
    reason: str | None
    active_since: datetime
    failing_since: datetime | None
    noticed_at: datetime | None
    throttle_per_second: int | None
    ordered: bool
    thin: bool
    created_at: datetime
    updated_at: datetime
    per_job: bool = False
    """Whether it has no address of its own: each delivery goes where its job wants it."""
    digest_seconds: int = 0
    language: str = "fr"

    def url_for(self, kind: str | None) -> str:
        """Return where word of a kind goes."""
        return self.kind_urls.get(kind or "", self.url)

    def wants(self, type_: str, kind: str | None) -> bool:
        """Tell whether it asked to hear of this."""
        of_type = self.event_types is None or type_ in self.event_types
        return of_type and (kind is None or self.kinds is None or kind in self.kinds)


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret of an endpoint as its row says."""

    id: str
    endpoint_id: str
    scheme: str
    sealed: str
    public_key: str | None = None


@dataclass(frozen=True, slots=True)
class EndpointValues:
    """What an owner decides about an endpoint."""

    url: str
    dialect: str
    organization_id: str | None = None
    kind_urls: Mapping[str, str] = field(default_factory=dict)
    event_types: Sequence[str] | None = None
    kinds: Sequence[str] | None = None
    description: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    throttle_per_second: int | None = None
    ordered: bool = False
    thin: bool = False
    digest_seconds: int = 0
    language: str = "fr"
    state: str = "enabled"
    reason: str | None = None


async def lock_owner(connection: Connection, owner_id: str) -> int:
    """Let nobody else create for this owner meanwhile, and return how many endpoints there are."""
    await connection.execute(LOCK_OWNER, owner_id)
    count: int = await connection.fetchval(COUNT_ENDPOINTS, owner_id)
    return count


async def insert(connection: Connection, endpoint_id: str, owner_id: str, values: EndpointValues) -> bool:
    """Insert an endpoint; False when this owner has one of this address."""
    v = values
    made = await connection.fetchval(
        INSERT_ENDPOINT,
        endpoint_id,
        owner_id,
        v.organization_id,
        v.url,
        json.dumps(dict(v.kind_urls)),
        v.dialect,
        v.event_types,
        v.kinds,
        v.description,
        json.dumps(dict(v.headers)),
        v.throttle_per_second,
        v.ordered,
        v.thin,
        v.digest_seconds,
        v.language,
        v.state,
        v.reason,
    )
    return made is not None


async def update(connection: Connection, endpoint_id: str, owner_id: str, values: EndpointValues) -> None:
    """Write what the owner decided; raises asyncpg's UniqueViolationError when another endpoint has the address."""
    v = values
    await connection.execute(
        UPDATE_ENDPOINT,
        endpoint_id,
        owner_id,
        v.organization_id,
        v.url,
        json.dumps(dict(v.kind_urls)),
        v.event_types,
        v.kinds,
        v.description,
        json.dumps(dict(v.headers)),
        v.throttle_per_second,
        v.ordered,
        v.thin,
        v.state,
        v.reason,
        v.digest_seconds,
        v.language,
    )


async def insert_secrets(connection: Connection, secrets: Sequence[SealedSecret]) -> None:
    """Keep sealed secrets."""
    rows = [asdict(secret) for secret in secrets]
    await connection.execute(
        INSERT_SECRETS,
        *([row[name] for row in rows] for name in ("id", "endpoint_id", "scheme", "sealed", "public_key")),
    )


async def put_events(connection: Connection, records: Sequence[Sendable]) -> list[OutboxRow]:
    """Put records into the outbox and return their rows."""
    columns = OutboxColumns.of(records)
    found = await connection.fetch(PUT_EVENTS, columns.topics, columns.keys, columns.values, columns.headers)
    return as_rows([row["id"] for row in found], records)


async def take_turns(pool: Pool, endpoint_id: str, count: int) -> float:
    """Take turns of a throttled endpoint and return the seconds until the first."""
    first: float | None = await pool.fetchval(TAKE_TURNS, endpoint_id, count)
    return max(0.0, first or 0.0)
