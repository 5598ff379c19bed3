"""What the bell says."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """What the bell says."""

    id: str
    user_id: str
    type: str
    title: str
    message: str
    metadata: dict[str, Any]


# insert_notices: for people who are still there; asked for again, it is the same notification.
INSERT_NOTICES = """
    INSERT INTO notifications (id, "userId", type, title, message, metadata)
    SELECT n.id, n.user_id, n.type, n.title, n.message, n.metadata
    FROM jsonb_to_recordset($1::jsonb)
         AS n(id text, user_id text, type text, title text, message text, metadata jsonb)
    JOIN users u ON u.id = n.user_id
    ON CONFLICT DO NOTHING
    RETURNING id
"""


async def insert_notices(connection: Connection, rows: Sequence[NotificationRow]) -> set[str]:
    """Write notifications and return the ids of those that are new."""
    found = await connection.fetch(INSERT_NOTICES, json.dumps([asdict(row) for row in rows]))
    return {row["id"] for row in found}
