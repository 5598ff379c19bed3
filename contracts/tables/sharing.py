"""Whose turn it is: lines of waiting tasks, turns, pauses, and who works."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Double, Index, text
from sqlalchemy.dialects.postgresql import JSONB

from contracts.tables.columns import OFTEN_EMPTIED, Row, maybe, moment, one_of, ours, typed, words


class Line(Row, table=True):
    """Writer: generator. What one owner has queued of one kind and model at one provider; see `claim_tasks`.

    `organization_id` is '' for people on their own, `owner_id` '' for an organisation's place among them. `place` is
    where the owner's next turn stands, the same in all lines of the owner.
    """

    __tablename__ = "lines"
    __table_args__ = (
        Index(
            "lines_accounts_idx",
            "provider",
            "kind",
            "model",
            "place",
            "served_at",
            postgresql_where=text("waiting and (organization_id = '' or owner_id = '')"),
        ),
        Index(
            "lines_members_idx",
            "provider",
            "organization_id",
            "kind",
            "model",
            "place",
            "served_at",
            postgresql_where=text("waiting and organization_id <> '' and owner_id <> ''"),
        ),
        ours(**OFTEN_EMPTIED),
    )
    provider: str = words(primary_key=True)
    organization_id: str = words(primary_key=True)
    owner_id: str = words(primary_key=True)
    kind: str = words(primary_key=True)
    model: str = words(primary_key=True)
    place: float = typed(Double, "0")
    served_at: datetime = moment("'-infinity'::timestamp with time zone")
    waiting: bool = typed(Boolean, "true")


class Turn(Row, table=True):
    """Writer: generator. How far the turns of a provider have come, and those inside an organisation."""

    __tablename__ = "turns"
    __table_args__ = ours(fillfactor="50", **OFTEN_EMPTIED)
    provider: str = words(primary_key=True)
    organization_id: str = words(primary_key=True)
    turn: float = typed(Double)


class Pause(Row, table=True):
    """Writer: gateway. What nothing new is begun of until the row is gone."""

    __tablename__ = "pauses"
    __table_args__ = (one_of("scope", "all", "provider", "model", "kind"), ours())
    scope: str = words(primary_key=True)
    name: str = words("''::text", primary_key=True)
    reason: str | None = maybe()
    paused_by: str = words()
    paused_at: datetime = moment()


class Worker(Row, table=True):
    """Writer: generator. A process that renders: `slots` says how many tasks of each provider it runs at once."""

    __tablename__ = "workers"
    __table_args__ = ours()
    worker: str = words(primary_key=True)
    slots: dict[str, Any] = typed(JSONB)
    seen_at: datetime = moment()
