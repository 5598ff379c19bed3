"""Write notices: notifications that another service asks for, once each however often it is heard asking."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from contracts.cloudevents import to_record
from contracts.events import NotificationCreated, NotificationRequested
from services.persistence.store.events import put_events
from services.persistence.store.notices import NotificationRow, insert_notices
from services.runtime.database import Pool, transaction
from services.runtime.outbox import OutboxRow


class WriteNotices:
    """The use case behind notification.requested."""

    def __init__(self, pool: Pool, offer: Callable[[Sequence[OutboxRow]], None]) -> None:
        self._pool = pool
        self._offer = offer

    async def __call__(self, events: Sequence[NotificationRequested]) -> None:
        now = datetime.now(UTC)
        by_id = {event.notification_id: event for event in events}
        rows = [
            NotificationRow(
                event.notification_id, event.user_id, event.type, event.title, event.message, event.metadata
            )
            for event in by_id.values()
        ]
        async with transaction(self._pool) as connection:
            written = await insert_notices(connection, rows)
            records = [
                to_record(
                    NotificationCreated(
                        job_id=event.job_id,
                        kind=event.kind,
                        at=now,
                        notification_id=event.notification_id,
                        user_id=event.user_id,
                        type=event.type,
                        title=event.title,
                        message=event.message,
                    ),
                    service="persistence",
                )
                for event in by_id.values()
                if event.notification_id in written
            ]
            sent = await put_events(connection, records) if records else []
        self._offer(sent)
