"""What people do with what was made for them: our own tables."""

from datetime import datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from contracts.tables.columns import OFTEN_EMPTIED, Row, maybe, moment, ours, typed, words


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


class SearchDocument(Row, table=True):
    """Writer: persistence. The words and stems of a prompt; triggers drop the row when the prompt changes."""

    __tablename__ = "search_documents"
    __table_args__ = (
        Index("search_documents_owner_idx", "owner_id", text("created_at DESC"), text("generation_id DESC")),
        Index(
            "search_documents_document_idx",
            "document",
            postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": 512},
        ),
        ours(),
    )
    generation_id: str = words(primary_key=True)
    kind: str = words()
    owner_id: str = words()
    created_at: datetime = moment(None)
    document: str = typed(TSVECTOR)


class SearchPending(Row, table=True):
    """Writer: persistence (removes). Triggers note every new and every changed prompt here, whoever wrote it."""

    __tablename__ = "search_pending"
    __table_args__ = (Index("search_pending_owner_idx", "owner_id"), ours(**OFTEN_EMPTIED))
    generation_id: str = words(primary_key=True)
    kind: str = words()
    owner_id: str = words()
    noted_at: datetime = moment("clock_timestamp()")


class SearchWord(Row, table=True):
    """Writer: persistence. Every word of all prompts, and by what a mistyped one is found; nobody's in particular."""

    __tablename__ = "search_words"
    __table_args__ = (Index("search_words_near_idx", "near", postgresql_using="gin"), ours())
    word: str = words(primary_key=True)
    near: list[str] = typed(ARRAY(Text))


class Favourite(Row, table=True):
    """Writers: gateway; persistence removes those of a purged generation. `made_at` is the generation's own moment."""

    __tablename__ = "favourites"
    __table_args__ = (
        Index("favourites_made_idx", "owner_id", text("made_at DESC"), text("generation_id DESC")),
        Index("favourites_newest_idx", "owner_id", text("created_at DESC"), text("generation_id DESC")),
        Index(None, "generation_id"),
        ours(),
    )
    owner_id: str = words(primary_key=True)
    generation_id: str = words(primary_key=True)
    kind: str = words()
    made_at: datetime = moment(None)
    created_at: datetime = moment()


class Album(Row, table=True):
    """Writer: gateway."""

    __tablename__ = "albums"
    __table_args__ = (Index("albums_owner_idx", "owner_id", text("created_at DESC"), text("id DESC")), ours())
    id: str = words(primary_key=True)
    owner_id: str = words()
    name: str = words()
    description: str | None = maybe()
    cover_id: str | None = maybe()
    created_at: datetime = moment()
    updated_at: datetime = moment()


class AlbumItem(Row, table=True):
    """Writers: gateway; persistence removes those of a purged generation."""

    __tablename__ = "album_items"
    __table_args__ = (
        Index("album_items_made_idx", "album_id", text("made_at DESC"), text("generation_id DESC")),
        Index(None, "generation_id"),
        ours(),
    )
    album_id: str = words(primary_key=True, foreign_key="sorami.albums.id", ondelete="CASCADE")
    generation_id: str = words(primary_key=True)
    kind: str = words()
    made_at: datetime = moment(None)
    added_at: datetime = moment()


class Share(Row, table=True):
    """Writers: gateway; persistence removes those of a purged generation. Only a hash of the token is kept."""

    __tablename__ = "shares"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint("(generation_id is null) <> (album_id is null)", name="subject"),
        Index("shares_owner_idx", "owner_id", text("created_at DESC"), text("id DESC")),
        Index(None, "album_id"),
        Index(None, "generation_id"),
        ours(),
    )
    id: str = words(primary_key=True)
    owner_id: str = words()
    token_hash: bytes = typed(LargeBinary)
    prefix: str = words()
    generation_id: str | None = maybe()
    album_id: str | None = maybe(foreign_key="sorami.albums.id", ondelete="CASCADE")
    show_prompt: bool = typed(Boolean, "false")
    password_hash: str | None = maybe()
    created_at: datetime = moment()
    expires_at: datetime | None = maybe(DateTime(timezone=True))
    revoked_at: datetime | None = maybe(DateTime(timezone=True))


class ShareAttempt(Row, table=True):
    """Writer: gateway. How often a share's password was tried in the running window."""

    __tablename__ = "share_attempts"
    __table_args__ = (ours(),)
    share_id: str = words(primary_key=True, foreign_key="sorami.shares.id", ondelete="CASCADE")
    began_at: datetime = moment()
    attempts: int = typed(Integer, "1")


class NotificationRead(Row, table=True):
    """Writers: gateway; persistence deletes those of purged generations. A notification somebody has seen."""

    __tablename__ = "notification_reads"
    __table_args__ = (ours(),)
    notification_id: str = words(primary_key=True)
    user_id: str = words()
    read_at: datetime = moment()


class NotificationMark(Row, table=True):
    """Writer: gateway. Up to `read_until` everything was read at once."""

    __tablename__ = "notification_marks"
    __table_args__ = (ours(),)
    user_id: str = words(primary_key=True)
    read_until: datetime = moment(None)
