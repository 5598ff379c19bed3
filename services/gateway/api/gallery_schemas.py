"""What the OpenAPI document says of the gallery's answers: models of the shapes, used for the document alone."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.gateway.api.schemas import FileItem


class Generation(BaseModel):
    """A generation; its files stand under `images` or `videos`, as its kind says."""

    model_config = ConfigDict(extra="allow")

    id: str
    kind: str
    prompt: str
    status: str = Field(description="As Prisma's row says it: a cancelled job stands there as FAILED.")
    jobStatus: str
    images: list[FileItem] = []
    videos: list[FileItem] = []
    createdAt: str
    completedAt: str | None
    model: str | None
    size: str
    format: str
    style: str | None
    quality: str
    source: str | None
    favourite: bool
    parentId: str | None
    retryOf: str | None
    batchId: str | None
    deletedAt: str | None = Field(default=None, description="Only in the trash.")


class Segment(BaseModel):
    """A piece of a prompt, as plain text."""

    text: str
    match: bool


class Match(BaseModel):
    """How well a generation matches, and where in its prompt."""

    rank: float
    segments: list[Segment]


class GalleryItem(Generation):
    """A generation of a list; `match` only where it was searched for."""

    match: Match | None = None


class SearchSummary(BaseModel):
    """What a search found: `total` is exact when `allCounted`, else the most that is ranked."""

    total: int
    allCounted: bool
    corrected: bool = Field(description="Words that were perhaps mistyped were looked for too.")


class GalleryPage(BaseModel):
    """A page of generations."""

    success: bool
    count: int
    generations: list[GalleryItem]
    nextCursor: str | None
    search: SearchSummary | None = None


class Relative(BaseModel):
    """A generation of the lineage."""

    id: str
    kind: str
    prompt: str
    status: str
    createdAt: str


class GenerationDetail(Generation):
    """One generation with what it came from and what came of it."""

    metadata: dict[str, Any]
    parent: Relative | None
    retried: Relative | None
    children: list[Relative]
    retries: list[Relative]


class FavouriteState(BaseModel):
    """Whether a generation is a favourite."""

    id: str
    favourite: bool


class BulkChange(BaseModel):
    """What a bulk change did; ids that are absent or somebody else's are only named."""

    added: list[str]
    removed: list[str]
    notFound: list[str]


class AlbumBody(BaseModel):
    """An album."""

    id: str
    name: str
    description: str | None
    count: int
    coverId: str | None
    cover: FileItem | None
    createdAt: str
    updatedAt: str


class NewAlbumBody(AlbumBody):
    """A new album, and which of the wanted items are not the caller's."""

    notFound: list[str]


class AlbumPage(BaseModel):
    """A page of albums."""

    albums: list[AlbumBody]
    nextCursor: str | None


class ShareBody(BaseModel):
    """A share as its owner sees it."""

    id: str
    prefix: str = Field(description="How the link's token begins.")
    generationId: str | None
    albumId: str | None
    title: str | None = Field(description="The album's name, or how the generation's prompt begins.")
    showPrompt: bool
    hasPassword: bool
    createdAt: str
    expiresAt: str | None
    revokedAt: str | None


class NewShareBody(ShareBody):
    """A new share; `url` is told this once."""

    url: str


class SharePage(BaseModel):
    """A page of shares."""

    shares: list[ShareBody]
    nextCursor: str | None


class SharedItem(BaseModel):
    """A generation as a share shows it."""

    kind: str
    createdAt: str
    prompt: str | None = Field(description="Only where the owner shows it.")
    files: list[dict[str, Any]]


class SharedBody(BaseModel):
    """What a share shows."""

    title: str | None
    expiresAt: str | None
    items: list[SharedItem]
    nextCursor: str | None


class NotificationBody(BaseModel):
    """A notification."""

    id: str
    type: str
    title: str
    message: str
    metadata: dict[str, Any]
    prompt: str | None = Field(description="How the prompt of the generation begins that it is about.")
    createdAt: str
    read: bool


class NotificationPage(BaseModel):
    """A page of notifications."""

    notifications: list[NotificationBody]
    nextCursor: str | None


class UnreadCount(BaseModel):
    """How many are unread; `atLeast` when there are more than are counted."""

    count: int
    atLeast: bool


class MarkedRead(BaseModel):
    """Which were marked as read."""

    read: list[str] | None = Field(description="null when all were.")
    notFound: list[str]


def says(status: int, description: str, model: type[BaseModel] | None = None) -> dict[int | str, dict[str, Any]]:
    """Describe the answer of a status."""
    return {status: {"description": description} | ({"model": model} if model else {})}
