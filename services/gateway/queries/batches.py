"""Batches of jobs, as their owner sees them."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.runtime.own_rows import OwnRows


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch and how many of its jobs stand where."""

    id: str
    total: int
    counts: dict[str, int]
    created_at: datetime
    cancelled_at: datetime | None


_COLUMNS = """
    b.id, b.total, b.created_at, b.cancelled_at,
    (SELECT coalesce(jsonb_object_agg(status, n), '{}')
     FROM (SELECT j.status, count(*) AS n FROM sorami.jobs j WHERE j.batch_id = b.id GROUP BY j.status) AS s) AS counts
"""
_ONE = f"SELECT {_COLUMNS} FROM sorami.batches b WHERE b.id = $1 AND b.owner_id = $2"  # noqa: S608
_PAGE = f"""
    SELECT {_COLUMNS} FROM sorami.batches b
    WHERE b.owner_id = $1 AND ($2::timestamptz IS NULL OR (b.created_at, b.id) < ($2::timestamptz, $3::text))
    ORDER BY b.created_at DESC, b.id DESC LIMIT $4
"""  # noqa: S608


async def batch(own: OwnRows, batch_id: str) -> BatchView | None:
    """Return the owner's batch, or None."""
    row = await own.fetchrow(_ONE, batch_id, own.person_id)
    return _batch(row) if row else None


async def batches_page(own: OwnRows, *, before: tuple[Any, ...] | None, limit: int) -> list[BatchView]:
    """Return a page of the owner's batches, newest first, before a position."""
    moment, place = before if before else (None, None)
    return [_batch(row) for row in await own.fetch(_PAGE, own.person_id, moment, place, limit)]


def _batch(row: Any) -> BatchView:
    counts = json.loads(row["counts"])
    return BatchView(row["id"], row["total"], counts, row["created_at"], row["cancelled_at"])
