"""The audit log: who did what, and for whom. Lines are added and never changed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from services.runtime.database import Connection, Pool
from services.runtime.identity import Caller

AUDIT = """
    INSERT INTO sorami.audit_log (actor, on_behalf_of, action, subject, request_id, detail)
    VALUES ($1, $2, $3, $4, $5, $6::jsonb)
"""


async def record(
    connection: Pool | Connection,
    caller: Caller,
    action: str,
    subject: str | None = None,
    *,
    request_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Note that the caller did `action` (e.g. `key.revoked`) to `subject` (an id), in the change's own transaction."""
    told = dict(detail or {}) | ({"key_id": caller.key_id} if caller.key_id else {})
    await connection.execute(
        AUDIT,
        caller.actor or caller.user_id,
        caller.user_id if caller.actor else None,
        action,
        subject,
        request_id,
        json.dumps(told) if told else None,
    )


async def record_each(connection: Connection, caller: Caller, action: str, subjects: Sequence[str]) -> None:
    """Note that the caller did the same to several: one line, which names one as its subject and many in its detail."""
    if subjects:
        detail = {"subjects": list(subjects)} if len(subjects) > 1 else None
        await record(connection, caller, action, subjects[0] if len(subjects) == 1 else None, detail=detail)
