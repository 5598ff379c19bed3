"""The tables Prisma made: camelCase, in the connection's first schema, kept in step with `schema.prisma`."""

from datetime import datetime
from typing import Any

from sqlalchemy import Double, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from contracts.tables.columns import (
    IMAGE_JOB_STATUS,
    ROOM_FOR_UPDATES,
    Row,
    maybe,
    percent,
    typed,
    utc,
    words,
)


class User(Row, table=True):
    """Writer: gateway (inserts; email and name)."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("clerkId"),)
    id: str = words(primary_key=True)
    clerkId: str = words()
    email: str | None = maybe()
    name: str | None = maybe()
    createdAt: datetime = utc()


class Organization(Row, table=True):
    """Writer: gateway (inserts)."""

    __tablename__ = "organizations"
    __table_args__ = (UniqueConstraint("clerkId"),)
    id: str = words(primary_key=True)
    clerkId: str | None = maybe()
    name: str | None = maybe()
    createdAt: datetime = utc()


class OrganizationMembership(Row, table=True):
    """Writer: gateway (inserts; the role)."""

    __tablename__ = "organization_memberships"
    __table_args__ = (UniqueConstraint("userId", "organizationId"), Index(None, "organizationId"))
    id: str = words(primary_key=True)
    userId: str = words(foreign_key="users.id", ondelete="CASCADE")
    organizationId: str = words(foreign_key="organizations.id", ondelete="CASCADE")
    role: str = words("'member'::text")
    createdAt: datetime = utc()


class GenerationColumns(Row):
    id: str = words(primary_key=True)
    prompt: str = words()
    inputImageUrl: str | None = maybe()
    style: str | None = maybe()
    quality: str = words("'standard'::text")
    model: str | None = maybe()
    authorId: str = words(foreign_key="users.id", ondelete="RESTRICT")
    organizationId: str | None = maybe(foreign_key="organizations.id", ondelete="SET NULL")
    status: str = typed(IMAGE_JOB_STATUS, "'PENDING'::\"ImageJobStatus\"")
    progress: int = typed(Integer, "0")
    createdAt: datetime = utc()
    completedAt: datetime | None = maybe(TIMESTAMP(precision=3))


def generation_rules(table: str) -> tuple[Any, ...]:
    """The keys of one kind's generations: the gallery (finished only), the rest, and every list of an author."""
    newest = ("authorId", text('"createdAt" DESC'), text("id DESC"))
    return (
        Index(f"{table}_gallery_idx", *newest, postgresql_where=text("status = 'COMPLETED'")),
        Index(f"{table}_unfinished_idx", *newest, postgresql_where=text("status <> 'COMPLETED'")),
        Index(f"{table}_authorId_createdAt_id_idx", *newest),
        Index(f"{table}_organizationId_idx", "organizationId"),
        percent(),
        {"info": {"storage": ROOM_FOR_UPDATES}},
    )


class ImageGeneration(GenerationColumns, table=True):
    """Writers: gateway inserts, persistence makes every later change."""

    __tablename__ = "image_generations"
    __table_args__ = generation_rules("image_generations")
    numImages: int = typed(Integer, "1")
    size: str = words("'1024x1024'::text")
    format: str = words("'PNG'::text")


class VideoGeneration(GenerationColumns, table=True):
    """Writers: gateway inserts, persistence makes every later change."""

    __tablename__ = "video_generations"
    __table_args__ = generation_rules("video_generations")
    numVideos: int = typed(Integer, "1")
    size: str = words("'1280x720'::text")
    format: str = words("'MP4'::text")
    durationSeconds: float = typed(Double, "4")
    fps: int = typed(Integer, "24")


class FileColumns(Row):
    id: str = words(primary_key=True)
    filename: str = words()
    s3Key: str = words()
    fileUrl: str = words()
    fileSize: int | None = maybe(Integer)
    format: str | None = maybe()
    width: int | None = maybe(Integer)
    height: int | None = maybe(Integer)
    aspectRatio: str | None = maybe()
    metadata_: dict[str, Any] | None = maybe(JSONB, sa_column_kwargs={"name": "metadata"})
    createdAt: datetime = utc()


class ImageFile(FileColumns, table=True):
    """Writer: persistence."""

    __tablename__ = "image_files"
    __table_args__ = (UniqueConstraint("generationId", "s3Key"),)
    generationId: str = words(foreign_key="image_generations.id", ondelete="CASCADE")


class VideoFile(FileColumns, table=True):
    """Writer: persistence."""

    __tablename__ = "video_files"
    __table_args__ = (UniqueConstraint("generationId", "s3Key"),)
    generationId: str = words(foreign_key="video_generations.id", ondelete="CASCADE")
    durationSeconds: float | None = maybe(Double)
    fps: int | None = maybe(Integer)
    thumbnailUrl: str | None = maybe()


class Notification(Row, table=True):
    """Writer: persistence."""

    __tablename__ = "notifications"
    __table_args__ = (
        Index(
            "notifications_userId_type_generation_key",
            "userId",
            "type",
            text("(metadata ->> 'generationId'::text)"),
            unique=True,
        ),
        Index("notifications_userId_createdAt_id_idx", "userId", text('"createdAt" DESC'), text("id DESC")),
    )
    id: str = words(primary_key=True)
    userId: str = words(foreign_key="users.id", ondelete="CASCADE")
    type: str = words()
    title: str = words()
    message: str = words()
    metadata_: dict[str, Any] | None = maybe(JSONB, sa_column_kwargs={"name": "metadata"})
    createdAt: datetime = utc()
