"""What comes with a request beside the job: keys that make it one, its batch, its end before time, its share."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Index, Integer, text
from sqlalchemy.dialects.postgresql import JSONB

from contracts.tables.columns import ROOM_FOR_UPDATES, Row, maybe, moment, ours, typed, words


class IdempotencyKey(Row, table=True):
    """Writer: gateway. What a key of an owner was answered, written with the jobs it made and kept for a day."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "created_at"), ours())
    owner_id: str = words(primary_key=True)
    key: str = words(primary_key=True)
    request_hash: str = words()
    batch_id: str | None = maybe()
    language: str = words()
    jobs: list[dict[str, Any]] = typed(JSONB)
    created_at: datetime = moment()


class Batch(Row, table=True):
    """Writer: gateway. Jobs that were asked for together; each of them names it."""

    __tablename__ = "batches"
    __table_args__ = (
        Index("batches_owner_idx", "owner_id", text("created_at DESC"), text("id DESC")),
        ours(),
    )
    id: str = words(primary_key=True)
    owner_id: str = words()
    organization_id: str | None = maybe()
    total: int = typed(Integer)
    created_at: datetime = moment()
    cancelled_at: datetime | None = maybe(DateTime(timezone=True))


class Cancellation(Row, table=True):
    """Writers: gateway inserts, persistence notes what became of it and purges. Somebody wants a job no longer."""

    __tablename__ = "cancellations"
    __table_args__ = (
        Index("cancellations_due_idx", "sent_at", postgresql_where=text("done_at is null")),
        ours(),
    )
    job_id: str = words(primary_key=True)
    requested_by: str = words()
    at: datetime = moment()
    sent_at: datetime = moment()
    done_at: datetime | None = maybe(DateTime(timezone=True))


class Allowance(Row, table=True):
    """Writer: gateway. What a user (`u:<id>`) or an organisation (`o:<id>`) has asked for in the running minute.

    `ceiling` is never below the number of the user's open jobs: the last count and all that was granted since.
    """

    __tablename__ = "allowances"
    __table_args__ = (Index(None, "window_start"), ours(**ROOM_FOR_UPDATES))
    subject: str = words(primary_key=True)
    window_start: datetime = moment()
    used: int = typed(Integer)
    asked: int = typed(Integer)
    granted: int = typed(Integer)
    ceiling: int = typed(Integer)
