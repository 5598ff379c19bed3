"""Our own tables: snake_case, in the schema `sorami`."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contracts.tables.columns import (
    JOB_STATUSES,
    OFTEN_EMPTIED,
    ROOM_FOR_UPDATES,
    TASKS_STORAGE,
    Row,
    maybe,
    moment,
    one_of,
    ours,
    percent,
    typed,
    words,
)

# --- ours: jobs and what they made -------------------------------------------------------------------------


class Job(Row, table=True):
    """Writers: gateway inserts, persistence makes every later change. One row per job of any kind."""

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("origin", "api", "application", "backend-direct"),
        one_of("status", *JOB_STATUSES),
        one_of("stage", "initializing", "generating", "saving"),
        percent(),
        Index("jobs_owner_idx", "owner_id", text("created_at DESC"), text("id DESC")),
        Index("jobs_open_idx", "created_at", postgresql_where=text("status in ('PENDING', 'GENERATING')")),
        Index("jobs_completed_idx", "completed_at", postgresql_where=text("completed_at is not null")),
        Index("jobs_parent_idx", "parent_id", postgresql_where=text("parent_id is not null")),
        Index("jobs_retry_idx", "retry_of", postgresql_where=text("retry_of is not null")),
        Index(
            "jobs_backend_idx",
            "owner_id",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("origin = 'backend-direct'"),
        ),
        Index("jobs_owner_open_idx", "owner_id", postgresql_where=text("status in ('PENDING', 'GENERATING')")),
        Index("jobs_preview_idx", text("(preview ->> 'token')"), postgresql_where=text("preview is not null")),
        Index("jobs_batch_idx", "batch_id", postgresql_where=text("batch_id is not null")),
        ours(**ROOM_FOR_UPDATES),
    )
    id: str = words(primary_key=True)
    kind: str = words()
    owner_id: str = words()
    organization_id: str | None = maybe()
    origin: str = words("'api'::text")
    status: str = words("'PENDING'::text")
    stage: str | None = maybe()
    progress: int = typed(SmallInteger, "0")
    message: str | None = maybe()
    seq: int = typed(BigInteger, "0")
    fence: int = typed(Integer, "0")
    provider: str | None = maybe()
    model: str | None = maybe()
    request: dict[str, Any] = typed(JSONB)
    request_hash: str = words()
    failure: dict[str, Any] | None = maybe(JSONB)
    metadata_: dict[str, Any] | None = maybe(JSONB, sa_column_kwargs={"name": "metadata"})
    batch_id: str | None = maybe()
    parent_id: str | None = maybe()
    retry_of: str | None = maybe()
    priority: int = typed(SmallInteger, "0")
    start_by: datetime | None = maybe(DateTime(timezone=True))
    finish_by: datetime | None = maybe(DateTime(timezone=True))
    created_at: datetime = moment()
    updated_at: datetime = moment()
    completed_at: datetime | None = maybe(DateTime(timezone=True))
    preview: dict[str, Any] | None = maybe(JSONB)


class File(Row, table=True):
    """Writer: persistence. One row per medium of a job of any kind; its lasting address holds `token`."""

    __tablename__ = "files"
    __table_args__ = (
        UniqueConstraint("token"),
        UniqueConstraint("job_id", "index"),
        UniqueConstraint("job_id", "storage_key"),
        CheckConstraint("storage_key is not null or external_url is not null", name="address"),
        ours(),
    )
    id: str = words(primary_key=True)
    job_id: str = words(foreign_key="sorami.jobs.id", ondelete="CASCADE")
    kind: str = words()
    index: int = typed(Integer)
    token: str = words()
    storage_key: str | None = maybe()
    external_url: str | None = maybe()
    filename: str = words()
    content_type: str = words()
    size_bytes: int | None = maybe(BigInteger)
    width: int | None = maybe(Integer)
    height: int | None = maybe(Integer)
    duration_seconds: float | None = maybe(Double)
    fps: int | None = maybe(Integer)
    sha256: str | None = maybe()
    description: str | None = maybe()
    thumbnail_key: str | None = maybe()
    created_at: datetime = moment()
    thumbnails: list[dict[str, Any]] | None = maybe(JSONB)
    placeholder: str | None = maybe()


class JobEvent(Row, table=True):
    """Writer: persistence. `n` is the user's own gapless count, in commit order."""

    __tablename__ = "job_events"
    __table_args__ = (UniqueConstraint("user_id", "n"), Index(None, "at"), ours())
    job_id: str = words(primary_key=True)
    seq: int = typed(BigInteger, primary_key=True)
    user_id: str = words()
    n: int = typed(BigInteger)
    type: str = words()
    data: dict[str, Any] = typed(JSONB)
    at: datetime = moment()


class UserCounter(Row, table=True):
    """Writer: persistence. The last `n` given to a user's events."""

    __tablename__ = "user_counters"
    __table_args__ = ours(**ROOM_FOR_UPDATES)
    user_id: str = words(primary_key=True)
    n: int = typed(BigInteger)


# --- ours: outboxes, one per service -----------------------------------------------------------------------


class OutboxColumns(Row):
    id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_args=(Identity(always=True),))
    topic: str = words()
    key: str = words()
    value: bytes = typed(LargeBinary)
    headers: dict[str, Any] = typed(JSONB, "'{}'::jsonb")
    created_at: datetime = moment("clock_timestamp()")


class OutboxGateway(OutboxColumns, table=True):
    """Writers: gateway; persistence deletes what is left of purged jobs."""

    __tablename__ = "outbox_gateway"
    __table_args__ = ours(**OFTEN_EMPTIED)


class OutboxGenerator(OutboxColumns, table=True):
    """Writer: generator."""

    __tablename__ = "outbox_generator"
    __table_args__ = ours(**OFTEN_EMPTIED)


class OutboxPersistence(OutboxColumns, table=True):
    """Writer: persistence."""

    __tablename__ = "outbox_persistence"
    __table_args__ = ours(**OFTEN_EMPTIED)


class OutboxNotifier(OutboxColumns, table=True):
    """Writer: notifier."""

    __tablename__ = "outbox_notifier"
    __table_args__ = ours(**OFTEN_EMPTIED)


# --- ours: the generator's work ----------------------------------------------------------------------------


class Task(Row, table=True):
    """Writer: generator. Leases, attempts and the verdict of one job.

    No index holds `lease_until` or `updated_at`: a heartbeat and a progress report stay HOT.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        one_of("state", "queued", "running", "waiting", "finished", "cancelled"),
        Index(
            "tasks_line_idx",
            "provider",
            text("coalesce(organization_id, '')"),
            "owner_id",
            "kind",
            text("coalesce(model, '')"),
            text("priority DESC"),
            "created_at",
            "job_id",
            postgresql_where=text("state = 'queued' and not rests"),
        ),
        Index("tasks_resting_idx", "due_at", postgresql_where=text("state = 'queued' and rests")),
        Index(
            "tasks_under_way_idx",
            "provider",
            "model",
            "organization_id",
            "owner_id",
            postgresql_where=text("state in ('running', 'waiting')"),
        ),
        Index("tasks_deadline_idx", text("LEAST(start_by, finish_by)"), postgresql_where=text("state = 'queued'")),
        Index(
            "tasks_movable_idx",
            "provider",
            "model",
            "created_at",
            postgresql_where=text("state = 'queued' and request -> 'fallbacks' <> '[]'::jsonb"),
        ),
        Index("tasks_waiting_idx", "due_at", postgresql_where=text("state = 'waiting'")),
        Index("tasks_running_idx", "created_at", postgresql_where=text("state = 'running'")),
        Index(
            "tasks_unsettled_idx",
            "created_at",
            postgresql_where=text("state in ('finished', 'cancelled') and settled_at is null"),
        ),
        Index(
            "tasks_settled_idx",
            "settled_at",
            postgresql_where=text("settled_at is not null and request <> '{}'::jsonb"),
        ),
        Index(
            "tasks_provider_operation_id_key",
            "provider",
            "operation_id",
            unique=True,
            postgresql_where=text("operation_id is not null"),
        ),
        ours(**TASKS_STORAGE),
    )
    job_id: str = words(primary_key=True)
    kind: str = words()
    owner_id: str = words()
    organization_id: str | None = maybe()
    provider: str = words()
    model: str | None = maybe()
    request: dict[str, Any] = typed(JSONB)
    traceparent: str | None = maybe()
    state: str = words("'queued'::text")
    step: str | None = maybe()
    fence: int = typed(Integer, "0")
    lease_until: datetime | None = maybe(DateTime(timezone=True))
    worker: str | None = maybe()
    attempts: int = typed(Integer, "0")
    operation_id: str | None = maybe()
    due_at: datetime = moment()
    priority: int = typed(SmallInteger, "0")
    start_by: datetime | None = maybe(DateTime(timezone=True))
    finish_by: datetime | None = maybe(DateTime(timezone=True))
    report_step: int = typed(Integer, "0")
    verdict: dict[str, Any] | None = maybe(JSONB)
    settled_at: datetime | None = maybe(DateTime(timezone=True))
    created_at: datetime = moment()
    updated_at: datetime = moment()
    rests: bool = typed(Boolean, "false")


class Operation(Row, table=True):
    """Writer: generator. Every attempt at a job, kept after the task: the proof of paid work.

    `state`, `rendered` and `files` are what a restart goes on with; a closed attempt has them no more. An attempt in
    our own process has neither key nor step and is written when it has ended.
    """

    __tablename__ = "operations"
    __table_args__ = (
        Index(None, "provider", "operation_id"),
        Index("operations_open_idx", "owner_id", postgresql_where=text("closed_at is null")),
        Index("operations_unclosed_idx", "job_id", postgresql_where=text("closed_at is null")),
        one_of("step", "submitting", "submitted", "rendered", "stored", "reported"),
        one_of("outcome", "completed", "failed", "cancelled"),
        ours(),
    )
    job_id: str = words(primary_key=True)
    attempt: int = typed(Integer, primary_key=True)
    provider: str = words()
    operation_id: str | None = maybe()
    owner_id: str = words()
    submitted_at: datetime = moment()
    closed_at: datetime | None = maybe(DateTime(timezone=True))
    submit_key: str | None = maybe()
    step: str | None = maybe()
    submits: int = typed(Integer, "0")
    state: dict[str, Any] | None = maybe(JSONB)
    rendered: dict[str, Any] | None = maybe(JSONB)
    collects: int = typed(Integer, "0")
    files: dict[str, Any] | None = maybe(JSONB)
    cancels: int = typed(Integer, "0")
    outcome: str | None = maybe()
    failure_code: str | None = maybe()
    charged: str | None = maybe()
    model: str | None = maybe()
    failure: dict[str, Any] | None = maybe(JSONB)


class ProviderHealth(Row, table=True):
    """Writer: generator. How a provider (model '') or one of its models fares: the circuit breaker of all processes."""

    __tablename__ = "provider_health"
    __table_args__ = (one_of("state", "closed", "open", "half_open"), ours(**ROOM_FOR_UPDATES))
    provider: str = words(primary_key=True)
    model: str = words("''::text", primary_key=True)
    state: str = words("'closed'::text")
    failures: int = typed(Integer, "0")
    openings: int = typed(Integer, "0")
    retry_at: datetime | None = maybe(DateTime(timezone=True))
    opened_at: datetime | None = maybe(DateTime(timezone=True))
    last_failure_at: datetime | None = maybe(DateTime(timezone=True))
    last_success_at: datetime | None = maybe(DateTime(timezone=True))
    last_failure_code: str | None = maybe()


class WorkerReport(Row, table=True):
    """Writers: generator; persistence deletes those of purged jobs. What a worker of others last said of a job."""

    __tablename__ = "worker_reports"
    __table_args__ = ours()
    job_id: str = words(primary_key=True)
    provider: str = words()
    heard_at: datetime = moment()
    topic: str | None = maybe()
    event: dict[str, Any] | None = maybe(JSONB)


class JanitorMark(Row, table=True):
    """Writer: generator. The key after which the janitor goes on looking through the bucket."""

    __tablename__ = "janitor_marks"
    __table_args__ = ours()
    name: str = words(primary_key=True)
    after: str = words()
    looked_at: datetime = moment()


# --- ours: what could not be used ---------------------------------------------------------------------------


class DeadLetter(Row, table=True):
    """Writers: gateway, generator and notifier insert, persistence does the rest. What could not be judged or sent.

    The gateway notes what an operator made of it.
    """

    __tablename__ = "dead_letters"
    __table_args__ = (
        one_of("resolution", "replayed", "discarded"),
        Index("dead_letters_at_idx", "at", "topic", "partition", "offset", "consumer"),
        Index(
            "dead_letters_open_idx",
            "at",
            "topic",
            "partition",
            "offset",
            "consumer",
            postgresql_where=text("resolution is null"),
        ),
        ours(),
    )
    topic: str = words(primary_key=True)
    partition: int = typed(Integer, primary_key=True)
    offset: int = typed(BigInteger, primary_key=True)
    consumer: str = words(primary_key=True)
    key: str | None = maybe()
    reason: str = words()
    detail: str | None = maybe()
    value: bytes | None = maybe(LargeBinary)
    headers: dict[str, Any] | None = maybe(JSONB)
    at: datetime = moment()
    resolution: str | None = maybe()
    resolved_at: datetime | None = maybe(DateTime(timezone=True))
    resolved_by: str | None = maybe()


class Orphan(Row, table=True):
    """Writers: gateway; persistence deletes those of purged jobs. A webhook nobody could be given."""

    __tablename__ = "orphans"
    __table_args__ = (
        UniqueConstraint("kind", "job_id", "status"),
        one_of("resolution", "assigned", "discarded"),
        Index("orphans_open_idx", "received_at", "id", postgresql_where=text("resolution is null")),
        ours(),
    )
    id: str = words(primary_key=True)
    kind: str = words()
    job_id: str = words()
    status: str = words()
    payload: dict[str, Any] = typed(JSONB)
    reason: str = words()
    received_at: datetime = moment()
    resolution: str | None = maybe()
    resolved_at: datetime | None = maybe(DateTime(timezone=True))
    resolved_by: str | None = maybe()


class BackendReport(Row, table=True):
    """Writer: gateway (inserts); persistence deletes those of ended jobs. How a backend says a job of ours ended."""

    __tablename__ = "backend_reports"
    __table_args__ = ours()
    job_id: str = words(primary_key=True)
    topic: str = words(primary_key=True)
    event: dict[str, Any] = typed(JSONB)
    received_at: datetime = moment()


class SchemaMigration(Row, table=True):
    """Writer: `sorami migrate`. A migration that was applied, with the checksum it had."""

    __tablename__ = "schema_migrations"
    __table_args__ = ours()
    name: str = words(primary_key=True)
    checksum: str = words()
    applied_at: datetime = moment()
