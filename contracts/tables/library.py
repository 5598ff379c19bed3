"""What people do with what was made for them: our own tables."""

from datetime import datetime

from sqlalchemy import DateTime, Index, text

from contracts.tables.columns import Row, maybe, moment, ours, words


class Deletion(Row, table=True):
    """Writers: gateway inserts and removes, persistence notes the purge. After the purge it is the id's tombstone."""

    __tablename__ = "deletions"
    __table_args__ = (
        Index("deletions_owner_idx", "owner_id", text("deleted_at DESC"), text("generation_id DESC")),
        Index("deletions_due_idx", "purge_after", postgresql_where=text("purged_at is null")),
        Index("deletions_purged_idx", "purged_at", postgresql_where=text("purged_at is not null")),
        ours(),
    )
    generation_id: str = words(primary_key=True)
    kind: str = words()
    owner_id: str = words()
    deleted_at: datetime = moment()
    purge_after: datetime = moment(None)
    purged_at: datetime | None = maybe(DateTime(timezone=True))
