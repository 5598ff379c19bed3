"""Who is told by webhook, what was told, and what came of it: our own tables."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, DateTime, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from contracts.tables.columns import ROOM_FOR_UPDATES, Row, maybe, moment, one_of, ours, typed, words


class WebhookEndpoint(Row, table=True):
    """Writer: notifier. An address that wants to hear of its owner's jobs, or of all of an organisation.

    The values of `headers` are sealed like secrets. One of an owner's has no address: `per_job`, for those jobs bring.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        one_of("dialect", "standard", "legacy", "apprise"),
        one_of("state", "enabled", "disabled"),
        one_of("reason", "owner", "gone", "failing"),
        UniqueConstraint("owner_id", "url"),
        Index(
            "webhook_endpoints_organization_idx",
            "organization_id",
            postgresql_where=text("organization_id is not null"),
        ),
        ours(**ROOM_FOR_UPDATES),
    )
    id: str = words(primary_key=True)
    owner_id: str = words()
    organization_id: str | None = maybe()
    url: str = words()
    kind_urls: dict[str, str] = typed(JSONB, "'{}'::jsonb")
    dialect: str = words("'standard'::text")
    event_types: list[str] | None = maybe(ARRAY(Text))
    kinds: list[str] | None = maybe(ARRAY(Text))
    description: str | None = maybe()
    headers: dict[str, str] = typed(JSONB, "'{}'::jsonb")
    state: str = words("'enabled'::text")
    reason: str | None = maybe()
    active_since: datetime = moment()
    failing_since: datetime | None = maybe(DateTime(timezone=True))
    noticed_at: datetime | None = maybe(DateTime(timezone=True))
    throttle_per_second: int | None = maybe(Integer)
    throttle_at: datetime = moment()
    ordered: bool = typed(Boolean, "false")
    thin: bool = typed(Boolean, "false")
    created_at: datetime = moment()
    updated_at: datetime = moment()
    per_job: bool = typed(Boolean, "false")
    digest_seconds: int = typed(Integer, "0")
    language: str = words("'fr'::text")


class WebhookSecret(Row, table=True):
    """Writer: notifier. What an endpoint's deliveries are signed with, or a channel's address; sealed with a key that
    is not in here.
    """

    __tablename__ = "webhook_secrets"
    __table_args__ = (one_of("scheme", "hmac", "ed25519", "shared", "address"), Index(None, "endpoint_id"), ours())
    id: str = words(primary_key=True)
    endpoint_id: str = words(foreign_key="sorami.webhook_endpoints.id", ondelete="CASCADE")
    scheme: str = words()
    sealed: str = words()
    public_key: str | None = maybe()
    created_at: datetime = moment()
    expires_at: datetime | None = maybe(DateTime(timezone=True))


class Delivery(Row, table=True):
    """Writers: notifier; persistence deletes those of purged jobs. One event for one endpoint, until settled."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("endpoint", "event_id"),
        one_of("state", "pending", "delivered", "superseded", "exhausted", "dropped"),
        Index("deliveries_due_idx", "next_attempt_at", postgresql_where=text("state = 'pending'")),
        Index("deliveries_pending_idx", "endpoint", "next_attempt_at", postgresql_where=text("state = 'pending'")),
        Index("deliveries_endpoint_idx", "endpoint", text("created_at DESC"), text("id DESC")),
        Index("deliveries_finished_idx", "finished_at", postgresql_where=text("finished_at is not null")),
        Index(None, "job_id"),
        ours(**ROOM_FOR_UPDATES),
    )
    id: str = words(primary_key=True)
    endpoint: str = words()
    event_id: str = words()
    job_id: str | None = maybe()
    seq: int = typed(BigInteger)
    type: str = words()
    payload: dict[str, Any] = typed(JSONB)
    state: str = words("'pending'::text")
    attempts: int = typed(Integer, "0")
    next_attempt_at: datetime = moment()
    lease_until: datetime | None = maybe(DateTime(timezone=True))
    fence: int = typed(Integer, "0")
    created_at: datetime = moment()
    finished_at: datetime | None = maybe(DateTime(timezone=True))
    kind: str | None = maybe()
    sent_at: datetime | None = maybe(DateTime(timezone=True))
    tries: int = typed(Integer, "0")
    url: str | None = maybe()
    traceparent: str | None = maybe()


class DeliveryAttempt(Row, table=True):
    """Writer: notifier. What one try was answered."""

    __tablename__ = "delivery_attempts"
    __table_args__ = ours()
    delivery_id: str = words(primary_key=True, foreign_key="sorami.deliveries.id", ondelete="CASCADE")
    attempt: int = typed(Integer, primary_key=True)
    at: datetime = moment()
    status_code: int | None = maybe(Integer)
    error: str | None = maybe()
    duration_ms: int | None = maybe(Integer)
    answer: str | None = maybe()


class JobWebhook(Row, table=True):
    """Writers: gateway inserts, persistence deletes those of purged jobs. Where a single job wants to be told."""

    __tablename__ = "job_webhooks"
    __table_args__ = ours()
    job_id: str = words(primary_key=True)
    url: str = words()
    event_types: list[str] | None = maybe(ARRAY(Text))


class StreamTicket(Row, table=True):
    """Writer: notifier. Opens one stream, once; bound to the key or the session that it was asked for with."""

    __tablename__ = "stream_tickets"
    __table_args__ = (Index(None, "expires_at"), ours())
    token_hash: bytes = typed(LargeBinary, primary_key=True)
    user_id: str = words()
    key_id: str | None = maybe()
    session_hash: bytes | None = maybe(LargeBinary)
    expires_at: datetime = moment(None)
