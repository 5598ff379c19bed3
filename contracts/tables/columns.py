"""How a column, a key and a check are declared, and the names they get in the database."""

from typing import Any

from pydantic_core import PydanticUndefined
from sqlalchemy import CheckConstraint, DateTime, MetaData, Text, text
from sqlalchemy.dialects.postgresql import ENUM, TIMESTAMP
from sqlmodel import Field, SQLModel

OWN_SCHEMA = "sorami"
JOB_STATUSES = ("PENDING", "GENERATING", "COMPLETED", "FAILED", "CANCELLED")
IMAGE_JOB_STATUS = ENUM("PENDING", "GENERATING", "COMPLETED", "FAILED", name="ImageJobStatus")
UTC_NOW = "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC'::text)"

# Prisma's own way of naming, so that `prisma migrate diff` finds nothing to rename.
NAMES = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}

# Space left in each page lets an update stay in its page and skip the indexes (HOT).
ROOM_FOR_UPDATES = {"fillfactor": "85"}
OFTEN_EMPTIED = {"autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_threshold": "2000"}
TASKS_STORAGE = {
    "fillfactor": "85",
    "autovacuum_vacuum_scale_factor": "0.01",
    "autovacuum_vacuum_threshold": "1000",
}


class Row(SQLModel):
    """What every table shares: the metadata and its names."""

    metadata = MetaData(naming_convention=NAMES)


def typed(type_: Any, server: str | None = None, **field: Any) -> Any:
    """A column of exactly this type; `server` is its default in the database, as Postgres prints it."""
    if server is not None:
        field["sa_column_kwargs"] = {"server_default": text(server)}
    return Field(sa_type=type_, default=field.pop("default", PydanticUndefined), **field)


def words(server: str | None = None, **field: Any) -> Any:
    """A text column."""
    return typed(Text, server, **field)


def maybe(type_: Any = Text, **field: Any) -> Any:
    """A nullable column; the annotation says `| None`."""
    return typed(type_, default=None, **field)


def utc(server: str | None = UTC_NOW, **field: Any) -> Any:
    """A moment in Prisma's tables: timestamp(3) without zone, in UTC whatever the session's zone."""
    return typed(TIMESTAMP(precision=3), server, **field)


def moment(server: str | None = "now()", **field: Any) -> Any:
    """A moment in our own tables: timestamptz."""
    return typed(DateTime(timezone=True), server, **field)


def one_of(column: str, *values: str) -> CheckConstraint:
    """A text column that takes these words only."""
    return CheckConstraint(f"{column} in ({', '.join(repr(value) for value in values)})", name=column)


def percent(column: str = "progress") -> CheckConstraint:
    return CheckConstraint(f"{column} >= 0 and {column} <= 100", name=column)


def ours(**storage: str) -> dict[str, Any]:
    """The last item of `__table_args__` for a table in our schema; `storage` are its WITH options."""
    return {"schema": OWN_SCHEMA, "info": {"storage": storage}}
