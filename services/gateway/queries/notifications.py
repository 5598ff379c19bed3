"""What the bell shows: the rows of persistence (or of an application) and our own read marks."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.gateway.queries.generations import naive, not_deleted, prompt_of
from services.runtime.own_rows import OwnRows

MOST_COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class NotificationView:
    """A notification as it is stored, in the seeds' French."""

    id: str
    type: str
    title: str
    message: str
    metadata: dict[str, Any]
    prompt: str | None
    created_at: datetime
    read: bool


# An application's own table may have a column `read`; what is read there is read here.
_READ = """(EXISTS (SELECT FROM sorami.notification_reads r WHERE r.notification_id = n.id)
            OR n."createdAt"::timestamptz <= (SELECT m.read_until FROM sorami.notification_marks m WHERE m.user_id = $1)
            OR coalesce((to_jsonb(n)->>'read') = 'true', false)) IS TRUE"""
_ABOUT = "(n.metadata->>'generationId')"
_SHOWN = not_deleted(_ABOUT)
PAGE = f"""
    SELECT n.id, n.type, n.title, n.message, n.metadata, {prompt_of(_ABOUT, "$1")} AS prompt,
           n."createdAt" AS created_at, {_READ} AS read
    FROM notifications n
    WHERE n."userId" = $1 AND (n."createdAt", n.id) < ($2::timestamp, $3::text)
      AND ($4::bool IS NULL OR {_READ} <> $4) AND {_SHOWN}
    ORDER BY n."createdAt" DESC, n.id DESC LIMIT $5
"""  # noqa: S608 - our own conditions
UNREAD_COUNT = f"""
    SELECT count(*) FROM (
        SELECT FROM notifications n WHERE n."userId" = $1
          AND n."createdAt" > coalesce((SELECT m.read_until AT TIME ZONE 'UTC' FROM sorami.notification_marks m
                                        WHERE m.user_id = $1), '-infinity')
          AND NOT {_READ} AND {_SHOWN} LIMIT {MOST_COUNTED}) unread
"""  # noqa: S608 - our own conditions
MINE = f"""
    SELECT n.id FROM notifications n WHERE n."userId" = $1 AND n.id = ANY($2::text[]) AND {_SHOWN}
"""  # noqa: S608 - our own conditions


async def page(own: OwnRows, *, unread: bool | None, after: tuple[datetime, str], limit: int) -> list[NotificationView]:
    """Return a page of a user's notifications, newest first; those of deleted generations are not among them."""
    moment, place = after
    rows = await own.fetch(PAGE, own.person_id, naive(moment), place, unread, limit)
    return [
        NotificationView(
            row["id"],
            row["type"],
            row["title"],
            row["message"],
            json.loads(row["metadata"]) if row["metadata"] else {},
            row["prompt"],
            row["created_at"] if row["created_at"].tzinfo else row["created_at"].replace(tzinfo=UTC),
            row["read"],
        )
        for row in rows
    ]


async def unread_count(own: OwnRows) -> int:
    """Count a user's unread notifications, to MOST_COUNTED."""
    return int(await own.fetchval(UNREAD_COUNT, own.person_id))


async def mine(own: OwnRows, ids: Sequence[str]) -> set[str]:
    """Return which of these notifications are the user's."""
    return {row["id"] for row in await own.fetch(MINE, own.person_id, list(ids))}
