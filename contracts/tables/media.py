"""What people bring in, and what is known of media that are gone: our own tables."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, DateTime, Index, Integer, UniqueConstraint, text

from contracts.tables.columns import Row, maybe, moment, one_of, ours, typed, words


class Upload(Row, table=True):
    """Writer: gateway. Bytes a person brings; the same bytes of the same owner are one row and one object."""

    __tablename__ = "uploads"
    __table_args__ = (
        one_of("state", "waiting", "ready"),
        UniqueConstraint("owner_id", "sha256"),
        Index("uploads_owner_idx", "owner_id", text("created_at DESC"), text("id DESC")),
        Index("uploads_unfinished_idx", "expires_at", postgresql_where=text("state = 'waiting'")),
        Index("uploads_used_idx", "last_used_at", postgresql_where=text("state = 'ready'")),
        ours(),
    )
    id: str = words(primary_key=True)
    owner_id: str = words()
    sha256: str = words()
    storage_key: str = words()
    filename: str | None = maybe()
    content_type: str = words()
    size_bytes: int = typed(BigInteger)
    state: str = words("'waiting'::text")
    created_at: datetime = moment()
    expires_at: datetime = moment(None)
    completed_at: datetime | None = maybe(DateTime(timezone=True))
    last_used_at: datetime = moment()


class UploadDay(Row, table=True):
    """Writer: gateway. How much an owner began to upload on one day (UTC)."""

    __tablename__ = "upload_days"
    __table_args__ = ours()
    owner_id: str = words(primary_key=True)
    day: date = typed(Date, primary_key=True)
    count: int = typed(Integer)
    bytes: int = typed(BigInteger)


class GoneMedia(Row, table=True):
    """Writer: persistence. Addresses of purged files, so that they answer 410 and not 404."""

    __tablename__ = "gone_media"
    __table_args__ = ours()
    token: str = words(primary_key=True)
    gone_at: datetime = moment()
