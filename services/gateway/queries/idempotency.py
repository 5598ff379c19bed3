"""What an idempotency key was answered."""

import json
from dataclasses import dataclass
from datetime import datetime

from contracts.kinds import KINDS
from services.gateway.queries.generations import StatusView
from services.gateway.store.jobs import KEY_HOURS
from services.runtime.database import Pool

_KEPT_ANSWER = f"""
    SELECT request_hash, batch_id, language, jobs, created_at FROM sorami.idempotency_keys
    WHERE owner_id = $1 AND key = $2 AND created_at > now() - interval '{KEY_HOURS} hours'
"""  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The first answer to a key: the jobs as they were when they were made."""

    request_hash: str
    batch_id: str | None
    language: str
    views: list[StatusView]
    created_at: datetime


async def kept_answer(pool: Pool, owner_id: str, key: str) -> KeptAnswer | None:
    """Return what this owner's key was answered within its day."""
    row = await pool.fetchrow(_KEPT_ANSWER, owner_id, key)
    if row is None:
        return None
    views = [
        StatusView.requested(
            KINDS[job["kind"]],
            job["job_id"],
            row["created_at"],
            batch_id=row["batch_id"],
            parent_id=job["parent_id"],
            retry_of=job["retry_of"],
        )
        for job in json.loads(row["jobs"])
    ]
    return KeptAnswer(row["request_hash"], row["batch_id"], row["language"], views, row["created_at"])
