"""The shapes of the gallery: D4's generation and what people do with it."""

from collections.abc import Sequence
from typing import Any

from contracts.events import as_utc
from services.gateway.api.shapes import file_body, generation_body
from services.gateway.queries.gallery import Relative
from services.gateway.queries.generations import GenerationView
from services.gateway.queries.library import AlbumView, ShareView
from services.gateway.usecases.search_prompts import Hit


def item_body(item: GenerationView, public_url: str) -> dict[str, Any]:
    """Shape D4's generation with its kind and its place among others."""
    body = generation_body(item, public_url) | {
        "kind": item.kind.name,
        "format": item.format,
        "jobStatus": item.job_status.value,
        "favourite": item.favourite,
        "parentId": item.parent_id,
        "retryOf": item.retry_of,
        "batchId": item.batch_id,
    }
    if item.deleted_at is not None:
        body["deletedAt"] = as_utc(item.deleted_at)
    return body


def page_body(items: Sequence[GenerationView], public_url: str, cursor: str | None) -> dict[str, Any]:
    """Shape a page of generations of any kind."""
    return {
        "success": True,
        "count": len(items),
        "generations": [item_body(item, public_url) for item in items],
        "nextCursor": cursor,
    }


def hit_body(hit: Hit, public_url: str) -> dict[str, Any]:
    """Shape a generation that was searched for; the pieces of its prompt are plain text and never markup."""
    segments = [{"text": segment.text, "match": segment.match} for segment in hit.segments]
    return item_body(hit.view, public_url) | {"match": {"rank": round(hit.rank, 6), "segments": segments}}


def relative_body(relative: Relative) -> dict[str, Any]:
    """Shape a generation of the lineage."""
    return {
        "id": relative.id,
        "kind": relative.kind,
        "prompt": relative.prompt,
        "status": relative.status,
        "createdAt": as_utc(relative.created_at),
    }


def detail_body(item: GenerationView, relatives: Sequence[Relative], public_url: str) -> dict[str, Any]:
    """Shape one generation with what it came from and what came of it."""

    def of(relation: str) -> list[dict[str, Any]]:
        return [relative_body(relative) for relative in relatives if relative.relation == relation]

    parent, retried = of("parent"), of("retried")
    return item_body(item, public_url) | {
        "metadata": item.metadata,
        "parent": parent[0] if parent else None,
        "retried": retried[0] if retried else None,
        "children": of("child"),
        "retries": of("retry"),
    }


def album_body(album: AlbumView, cover: GenerationView | None, public_url: str) -> dict[str, Any]:
    """Shape an album; `cover` is the first file of its cover."""
    files = cover.files if cover else []
    return {
        "id": album.id,
        "name": album.name,
        "description": album.description,
        "count": album.count,
        "coverId": album.cover_id,
        "cover": file_body(files[0], public_url) if files else None,
        "createdAt": as_utc(album.created_at),
        "updatedAt": as_utc(album.updated_at),
    }


def share_body(share: ShareView) -> dict[str, Any]:
    """Shape a share as its owner sees it: the beginning of its token, never the token."""
    return {
        "id": share.id,
        "prefix": share.prefix,
        "generationId": share.generation_id,
        "albumId": share.album_id,
        "title": share.title,
        "showPrompt": share.show_prompt,
        "hasPassword": share.has_password,
        "createdAt": as_utc(share.created_at),
        "expiresAt": as_utc(share.expires_at) if share.expires_at else None,
        "revokedAt": as_utc(share.revoked_at) if share.revoked_at else None,
    }
