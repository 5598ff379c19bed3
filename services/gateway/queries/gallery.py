"""Pages over images and videos together: one keyset sub-select a kind and the newest of both, whatever the filter.

Every list walks an index that has its order already, so that page 1,000 costs what page 1 costs. Which index that is
depends on the rarest thing asked for: a filter that few rows pass is walked itself, any other is checked on the way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from contracts.kinds import KINDS, Kind
from services.gateway.queries.generations import (
    ALWAYS,
    NEVER,
    GenerationView,
    checked_author,
    generations_of_ids,
    naive,
    not_deleted,
)
from services.gateway.store.library import MY_GENERATIONS
from services.runtime.own_rows import OwnRows

Order = Literal["newest", "oldest"]
Position = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a gallery may be narrowed to; None asks for everything."""

    kinds: Sequence[str] | None = None
    statuses: Sequence[str] | None = ("COMPLETED",)
    styles: Sequence[str] | None = None
    qualities: Sequence[str] | None = None
    sizes: Sequence[str] | None = None
    formats: Sequence[str] | None = None
    models: Sequence[str] | None = None
    after: datetime | None = None
    before: datetime | None = None
    sources: Sequence[str] | None = None
    favourite: bool | None = None
    album_id: str | None = None
    parent_id: str | None = None
    deleted: bool = False

    @property
    def walk(self) -> str:
        """Return which rows are walked: those of the rarest thing asked for."""
        # The order is that of rarity: an album is smaller than the favourites; only the trash holds what was deleted.
        asked = {
            "trash": self.deleted,
            "children": self.parent_id is not None,
            "album": self.album_id is not None,
            "favourites": self.favourite is True,
            "backend": self.sources is not None and list(self.sources) == ["backend-direct"],
            "finished": self.statuses is not None and list(self.statuses) == ["COMPLETED"],
            "unfinished": self.statuses is not None and "COMPLETED" not in self.statuses,
        }
        return next((name for name, is_asked in asked.items() if is_asked), "all")


@dataclass(frozen=True, slots=True)
class Page:
    """Some generations, and the place of the last when there are more."""

    items: list[GenerationView]
    after: Position | None


# Where our own row and Prisma's differ, an ending counts: an application may have moved its row without us.
_STATUS = """CASE WHEN j.status IN ('COMPLETED', 'FAILED', 'CANCELLED')
                       OR j.status IS NOT NULL AND g.status::text NOT IN ('COMPLETED', 'FAILED')
                  THEN j.status ELSE g.status::text END"""
_SOURCE = "coalesce(j.origin, 'application')"
# Counted, since EXISTS would be planned as reading all favourites at once.
_LIKED = "(SELECT count(*) FROM sorami.favourites f WHERE f.owner_id = $1 AND f.generation_id = g.id)"


class Values:
    """The values of a statement that is put together; each gets its number."""

    def __init__(self, *values: Any) -> None:
        self.given: list[Any] = list(values)

    def place(self, value: Any, type_name: str) -> str:
        """Add a value and return what stands for it."""
        self.given.append(value)
        return f"${len(self.given)}::{type_name}"


_COLUMNS = ("style", "quality", "size", "format", "model")


def _likely(condition: str) -> str:
    # Of an expression the planner expects that one row in two hundred passes, and would sort everything instead.
    return f"coalesce({condition}, false)"


def checks(filters: Filters, values: Values, *, walk: str | None = None) -> str:
    """Return the conditions on g and j that the walk itself does not meet; only what is asked for is written.

    A statement with every filter in it and most of them empty would be planned as if each were given.
    """
    lists = (filters.styles, filters.qualities, filters.sizes, filters.formats, filters.models)
    conditions = [
        f"g.{column} = ANY({values.place(list(given), 'text[]')})"
        for column, given in zip(_COLUMNS, lists, strict=True)
        if given is not None
    ]
    if filters.after is not None:
        conditions.append(f'g."createdAt" >= {values.place(naive(filters.after), "timestamp")}')
    if filters.before is not None:
        conditions.append(f'g."createdAt" < {values.place(naive(filters.before), "timestamp")}')
    if filters.statuses is not None and walk != "finished":
        conditions.append(_likely(f"{_STATUS} = ANY({values.place(list(filters.statuses), 'text[]')})"))
    if filters.sources is not None and walk != "backend":
        conditions.append(_likely(f"{_SOURCE} = ANY({values.place(list(filters.sources), 'text[]')})"))
    if filters.favourite is not None and walk != "favourites":
        conditions.append(_likely(f"{_LIKED} = {int(filters.favourite)}"))
    if filters.album_id is not None and walk != "album":
        album = values.place(filters.album_id, "text")
        conditions.append(
            f"EXISTS (SELECT FROM sorami.album_items x WHERE x.album_id = {album} AND x.generation_id = g.id)"
        )
    if filters.parent_id is not None and walk != "children":
        conditions.append(f"j.parent_id = {values.place(filters.parent_id, 'text')}")
    if not filters.deleted:
        conditions.append(not_deleted("g.id"))
    elif walk != "trash":
        conditions.append(
            "EXISTS (SELECT FROM sorami.deletions d WHERE d.generation_id = g.id AND d.purged_at IS NULL)"
        )
    return " AND ".join(conditions) or "true"


def kinds_of(filters: Filters) -> list[Kind]:
    """Return the kinds asked for."""
    return [kind for kind in KINDS.values() if filters.kinds is None or kind.name in filters.kinds]


@dataclass(frozen=True, slots=True)
class _Walk:
    """The rows one walk goes over: `rows` yields g and j of a kind, `at` and `id` are its order."""

    rows: str
    at: str = 'g."createdAt"'
    id: str = "g.id"
    type: str = "timestamp"


_MINE = checked_author("$1")


def _beside(table: str, where: str) -> str:
    return f"""{table} w JOIN {{table}} g ON g.id = w.generation_id LEFT JOIN sorami.jobs j ON j.id = g.id
               WHERE {where} AND w.kind = '{{kind}}' AND {_MINE}"""


_ALL = """{table} g LEFT JOIN sorami.jobs j ON j.id = g.id WHERE g."authorId" = $1"""
_WALKS: Mapping[str, _Walk] = {
    "all": _Walk(_ALL),
    "finished": _Walk(f"{_ALL} AND g.status = 'COMPLETED'"),
    "unfinished": _Walk(f"{_ALL} AND g.status <> 'COMPLETED'"),
    "favourites": _Walk(
        _beside("sorami.favourites", "w.owner_id = $1"), "w.made_at", "w.generation_id", "timestamptz"
    ),
    "liked": _Walk(
        _beside("sorami.favourites", "w.owner_id = $1"), "w.created_at", "w.generation_id", "timestamptz"
    ),
    "album": _Walk(
        _beside("sorami.album_items", "w.album_id = $2"), "w.made_at", "w.generation_id", "timestamptz"
    ),
    "trash": _Walk(
        _beside("sorami.deletions", "w.owner_id = $1 AND w.purged_at IS NULL"),
        "w.deleted_at", "w.generation_id", "timestamptz",
    ),
    "backend": _Walk(
        f"""sorami.jobs j JOIN {{table}} g ON g.id = j.id
           WHERE j.owner_id = $1 AND j.origin = 'backend-direct' AND j.kind = '{{kind}}' AND {_MINE}""",
        "j.created_at", "j.id", "timestamptz",
    ),
    "children": _Walk(
        f"sorami.jobs j JOIN {{table}} g ON g.id = j.id WHERE j.parent_id = $2 AND {_MINE}",
    ),
}  # fmt: skip


def page_statement(
    owner_id: str, filters: Filters, walk: str, order: Order, after: Position, limit: int
) -> tuple[str, list[Any]]:
    """Return the statement of a page and its values."""
    over = _WALKS[walk]
    values = Values(owner_id)
    if walk in ("album", "children"):
        values.given.append(filters.album_id if walk == "album" else filters.parent_id)
    moment, place = after
    moment_at = values.place(naive(moment) if over.type == "timestamp" else moment, over.type)
    place_at, most = values.place(place, "text"), values.place(limit, "int")
    conditions = checks(filters, values, walk="favourites" if walk == "liked" else walk)
    way, sign = ("DESC", "<") if order == "newest" else ("ASC", ">")

    def of(kind: Kind) -> str:
        rows = over.rows.format(table=kind.generations_table, kind=kind.name)
        return f"""(SELECT '{kind.name}' AS kind, g.id, {over.at} AS at FROM {rows}
            AND ({over.at}, {over.id}) {sign} ({moment_at}, {place_at}) AND {conditions}
            ORDER BY {over.at} {way}, {over.id} {way} LIMIT {most})"""  # noqa: S608 - names of the declared kinds

    each = " UNION ALL ".join(of(kind) for kind in kinds_of(filters))
    statement = f"SELECT kind, id, at FROM ({each}) page ORDER BY at {way}, id {way} LIMIT {most}"  # noqa: S608
    return statement, values.given


_EVERYTHING = Filters(
    statuses=(), styles=(), qualities=(), sizes=(), formats=(), models=(), after=NEVER, before=ALWAYS, sources=(),
    favourite=False, album_id="", parent_id="",
)  # fmt: skip
# Every walk with every filter: what a role must be allowed to read.
PAGES = {name: page_statement("", _EVERYTHING, name, "newest", (ALWAYS, ""), 1)[0] for name in _WALKS}


async def page(
    own: OwnRows,
    filters: Filters,
    *,
    order: Order = "newest",
    after: Position | None = None,
    limit: int,
    walk: str | None = None,
) -> Page:
    """Return a page of the owner's generations that pass the filters, beginning after a position."""
    begin = after or ((ALWAYS, "") if order == "newest" else (NEVER, ""))
    statement, values = page_statement(own.person_id, filters, walk or filters.walk, order, begin, limit + 1)
    rows = await own.fetch(statement, *values)
    found = rows[:limit]
    last = (_aware(found[-1]["at"]), found[-1]["id"]) if len(rows) > limit else None
    return Page(await in_order(own, [(row["kind"], row["id"]) for row in found]), last)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


async def in_order(own: OwnRows, wanted: Sequence[tuple[str, str]]) -> list[GenerationView]:
    """Return the owner's generations of these kinds and ids, in this order; what is gone meanwhile is left out."""
    views: dict[str, GenerationView] = {}
    for kind in KINDS.values():
        ids = [generation_id for name, generation_id in wanted if name == kind.name]
        if ids:
            views |= {view.id: view for view in await generations_of_ids(own, kind, ids)}
    return [views[generation_id] for _, generation_id in wanted if generation_id in views]


@dataclass(frozen=True, slots=True)
class Relative:
    """A generation as it stands in another's lineage."""

    id: str
    kind: str
    prompt: str
    status: str
    created_at: datetime
    relation: str


def _relatives(kind: Kind) -> str:
    return f"""
        SELECT g.id, '{kind.name}' AS kind, g.prompt, {_STATUS} AS status, g."createdAt" AS at, r.relation
        FROM related r JOIN {kind.generations_table} g ON g.id = r.id LEFT JOIN sorami.jobs j ON j.id = g.id
        WHERE {checked_author("$2")} AND {not_deleted("g.id")}"""  # noqa: S608 - names come from the declared kinds


_MOST_RELATIVES = 200
LINEAGE = f"""
    WITH related AS (
        SELECT parent_id AS id, 'parent' AS relation FROM sorami.jobs WHERE id = $1 AND parent_id IS NOT NULL
        UNION ALL SELECT retry_of, 'retried' FROM sorami.jobs WHERE id = $1 AND retry_of IS NOT NULL
        UNION ALL (SELECT id, 'child' FROM sorami.jobs WHERE parent_id = $1 AND owner_id = $2
                   ORDER BY created_at, id LIMIT {_MOST_RELATIVES})
        UNION ALL (SELECT id, 'retry' FROM sorami.jobs WHERE retry_of = $1 AND owner_id = $2
                   ORDER BY created_at, id LIMIT {_MOST_RELATIVES})
    )
    {" UNION ALL ".join(_relatives(kind) for kind in KINDS.values())}
    ORDER BY at, id
"""  # noqa: S608 - names come from the declared kinds


async def lineage(own: OwnRows, generation_id: str) -> list[Relative]:
    """Return what a generation came from and what came of it, oldest first; only what is the owner's own."""
    rows = await own.fetch(LINEAGE, generation_id, own.person_id)
    return [
        Relative(row["id"], row["kind"], row["prompt"], row["status"], _aware(row["at"]), row["relation"])
        for row in rows
    ]


async def my_generations(own: OwnRows, ids: Sequence[str]) -> dict[str, str]:
    """Return the kind of each of these ids that is the owner's."""
    return {row["id"]: row["kind"] for row in await own.fetch(MY_GENERATIONS, list(ids), own.person_id)}


IN_ALBUM = "SELECT EXISTS (SELECT FROM sorami.album_items WHERE album_id = $1 AND generation_id = $2)"


async def is_in_album(own: OwnRows, album_id: str, generation_id: str) -> bool:
    """Tell whether a generation is the owner's, not deleted, and in the album."""
    if generation_id not in await my_generations(own, [generation_id]):
        return False
    return bool(await own.fetchval(IN_ALBUM, album_id, generation_id))
