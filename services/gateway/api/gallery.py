"""The gallery: images and videos together and apart, filtered, searched, page by page; and one generation."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Request
from pydantic import AfterValidator, Field
from starlette.responses import Response

from contracts.faults import fault
from contracts.ids import is_safe_id
from contracts.kinds import KINDS
from contracts.scopes import Scope
from contracts.status import JobStatus
from services.gateway.api import gallery_schemas, schemas
from services.gateway.api.callers import caller
from services.gateway.api.etags import answer
from services.gateway.api.gallery_shapes import detail_body, hit_body, page_body
from services.gateway.api.parameters import parameters_of
from services.gateway.parts import Parts
from services.gateway.queries import gallery, library
from services.gateway.queries.gallery import Filters
from services.gateway.usecases.search_prompts import NothingToSearch, Place
from services.runtime.bodies import Query, read_query
from services.runtime.cursors import DEFAULT, read_cursor, read_limit, write_cursor
from services.runtime.moments import Moment
from services.runtime.problems import Problem

STATUSES = (*(status.value for status in JobStatus), "any")
MOST_SEARCHED = 500
MOST_VALUES = 20


def _id(text: str) -> str:
    if not is_safe_id(text):
        raise fault("id_invalid", "an id is 1 to 64 letters, digits, '_' or '-'")
    return text


def _plain(text: str) -> str:
    if not text.isprintable():
        raise fault("filter_control_character", "the text holds a control character; remove it")
    return text


Id = Annotated[str, AfterValidator(_id), Field(json_schema_extra={"pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"})]
Text = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_plain)]
Item = TypeVar("Item")
Several = Annotated[list[Item], Field(max_length=MOST_VALUES)]


class Paging(Query):
    """Where a page begins and how long it is."""

    limit: str | None = Field(default=None, description="How many to answer: 1 to 200, 50 when absent.")
    cursor: str | None = Field(default=None, description="The nextCursor of the page before.")


class GalleryQuery(Paging):
    """How the gallery is narrowed and ordered; a filter given twice takes either value."""

    q: str | None = Field(default=None, max_length=MOST_SEARCHED, description="Words of prompts, French or English.")
    sort: Literal["newest", "oldest", "relevance"] | None = Field(
        default=None, description="By relevance when `q` is given, else the newest first."
    )
    kind: Several[Literal[tuple(KINDS)]] | None = None  # type: ignore[valid-type]
    status: Several[Literal[STATUSES]] | None = Field(  # type: ignore[valid-type]
        default=None, description="COMPLETED when absent; `any` for all. In the trash and in lineages all when absent."
    )
    style: Several[Text] | None = None
    quality: Several[Text] | None = None
    size: Several[Text] | None = None
    format: Several[Text] | None = None
    model: Several[Text] | None = None
    source: Several[Literal["api", "application", "backend-direct"]] | None = None
    created_after: Moment | None = Field(default=None, description="From this moment on.")
    created_before: Moment | None = Field(default=None, description="Before this moment.")
    album: Id | None = None
    parent: Id | None = Field(default=None, description="Only what was made from this generation.")
    favourite: bool | None = None
    deleted: bool = Field(default=False, description="The trash instead, what was deleted last first.")

    def filters(self) -> Filters:
        """Return what the lists are narrowed to."""
        statuses: tuple[str, ...] | None = ("COMPLETED",)
        if self.status is not None:
            statuses = None if "any" in self.status else tuple(dict.fromkeys(self.status))
        elif self.deleted or self.parent is not None:
            statuses = None
        return Filters(
            kinds=self.kind,
            statuses=statuses,
            styles=self.style,
            qualities=self.quality,
            sizes=self.size,
            formats=self.format,
            models=self.model,
            sources=self.source,
            after=self.created_after,
            before=self.created_before,
            favourite=self.favourite,
            album_id=self.album,
            parent_id=self.parent,
            deleted=self.deleted,
        )


def generation_not_found() -> Problem:
    """Build the one answer for "not there" and "not yours"."""
    return Problem(404, "generation_not_found", "there is no generation of this id among yours")


async def answer_page(
    parts: Parts, request: Request, owner_id: str, filters: Filters, query: Paging, *, walk: str | None = None,
    order: gallery.Order = "newest",
) -> Response:  # fmt: skip
    """Answer with a page of the owner's generations."""
    limit = read_limit(query.limit) or DEFAULT
    way = f"{walk or filters.walk}/{order}"
    position = read_cursor(query.cursor, owner_id, str, datetime, str)
    if position is not None and position[0] != way:
        raise Problem(400, "cursor_invalid", "this cursor is of another list; start again without it")
    after = (position[1], position[2]) if position else None
    page = await gallery.page(parts.own(owner_id), filters, order=order, after=after, limit=limit, walk=walk)
    cursor = write_cursor(owner_id, way, *page.after) if page.after else None
    return answer(request, page_body(page.items, parts.public_url, cursor))


async def _answer_search(parts: Parts, request: Request, owner_id: str, query: GalleryQuery) -> Response:
    if query.sort == "oldest":
        raise Problem(422, "sort_unsupported", "a search is sorted by relevance or newest")
    limit = read_limit(query.limit) or DEFAULT
    position = read_cursor(query.cursor, owner_id, str, datetime, int, bool)
    if position is not None and (position[0] != "search" or not 0 <= position[2] <= 10_000):
        raise Problem(400, "cursor_invalid", "this cursor is of another list; start again without it")
    place = Place(*position[1:]) if position else None
    try:
        found = await parts.search_prompts(
            owner_id, query.q or "", query.filters(), by_rank=query.sort != "newest", place=place, limit=limit
        )
    except NothingToSearch:
        raise Problem(422, "q_empty", "q holds no letter and no digit; say what to look for") from None
    after = found.after
    cursor = write_cursor(owner_id, "search", after.until, after.offset, after.forgiving) if after else None
    body: dict[str, Any] = page_body([hit.view for hit in found.hits], parts.public_url, cursor)
    body["generations"] = [hit_body(hit, parts.public_url) for hit in found.hits]
    body["search"] = {"total": found.total, "allCounted": found.all_counted, "corrected": found.forgiving}
    return answer(request, body)


def gallery_router(parts: Parts) -> APIRouter:
    """Make GET /api/gallery and GET /api/gallery/<id>."""
    router = APIRouter(prefix="/api/gallery", tags=["gallery"])

    @router.get(
        "",
        summary="List and search my images and videos",
        operation_id="list_gallery",
        responses=gallery_schemas.says(200, "A page", gallery_schemas.GalleryPage)
        | schemas.NOT_MODIFIED
        | schemas.problems(400, 401, 403, 404, 422, 503),
        openapi_extra={"parameters": parameters_of(GalleryQuery)},
    )
    async def listed(request: Request) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_READ)
        query = read_query(request, GalleryQuery)
        if query.album is not None and await library.album(parts.own(asking.user_id), query.album) is None:
            raise Problem(404, "album_not_found", "there is no album of this id among yours")
        if query.q is not None:
            return await _answer_search(parts, request, asking.user_id, query)
        if query.sort == "relevance":
            raise Problem(422, "sort_unsupported", "relevance needs q; sort by newest or oldest")
        order: gallery.Order = "oldest" if query.sort == "oldest" else "newest"
        return await answer_page(parts, request, asking.user_id, query.filters(), query, order=order)

    @router.get(
        "/{generation_id}",
        summary="See one of my generations, what it came from and what came of it",
        operation_id="get_generation",
        responses=gallery_schemas.says(200, "The generation", gallery_schemas.GenerationDetail)
        | schemas.NOT_MODIFIED
        | schemas.problems(401, 403, 404, 503),
    )
    async def one(generation_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_READ)
        known = await owned(parts, asking.user_id, generation_id)
        views = await gallery.in_order(parts.own(asking.user_id), [(known, generation_id)])
        if not views:
            raise generation_not_found()
        relatives = await gallery.lineage(parts.own(asking.user_id), generation_id)
        return answer(request, detail_body(views[0], relatives, parts.public_url))

    return router


async def owned(parts: Parts, owner_id: str, generation_id: str) -> str:
    """Return the kind of the owner's generation; raises a 404 problem."""
    found = await gallery.my_generations(parts.own(owner_id), [generation_id])
    if generation_id not in found:
        raise generation_not_found()
    return found[generation_id]
