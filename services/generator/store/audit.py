"""What a policy decided, for operators: lines that nobody changes, without a word of the request."""

import json
from collections.abc import Mapping
from typing import Any

from services.runtime.database import Pool

RECORD = """
    INSERT INTO sorami.audit_log (actor, on_behalf_of, action, subject, detail) VALUES ($1, $2, $3, $4, $5::jsonb)
"""


async def record(pool: Pool, policy: str, action: str, *, user_id: str, job_id: str, detail: Mapping[str, Any]) -> None:
    """Note what a policy did with a job."""
    await pool.execute(RECORD, f"policy:{policy}", user_id, action, job_id, json.dumps(detail))
