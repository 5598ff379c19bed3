"""Every attempt at a job, as its owner sees it."""

import json
from dataclasses import dataclass
from datetime import datetime

from contracts.failures import Failure
from services.runtime.own_rows import OwnRows

# A failure of before whole failures were kept has its code alone.
_ATTEMPTS = """
    SELECT o.attempt, o.provider, o.model, o.submitted_at, o.closed_at, o.outcome, o.charged, o.submits, o.operation_id,
           o.failure_code, o.failure
    FROM sorami.operations o WHERE o.job_id = $1 AND o.owner_id = $2 ORDER BY o.attempt
"""


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt; `outcome` is None while it is under way."""

    attempt: int
    provider: str
    model: str | None
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    charged: str | None
    submits: int
    operation_id: str | None
    failure_code: str | None
    failure: Failure | None


async def attempts(own: OwnRows, job_id: str) -> list[AttemptView]:
    """Return every attempt at the owner's job, the first one first."""
    return [
        AttemptView(
            attempt=row["attempt"],
            provider=row["provider"],
            model=row["model"],
            started_at=row["submitted_at"],
            ended_at=row["closed_at"],
            outcome=row["outcome"],
            charged=row["charged"],
            submits=row["submits"],
            operation_id=row["operation_id"],
            failure_code=row["failure_code"],
            failure=Failure.model_validate(json.loads(row["failure"])) if row["failure"] else None,
        )
        for row in await own.fetch(_ATTEMPTS, job_id, own.person_id)
    ]
