"""Store rendered media with their smaller versions and posters."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

from contracts.events import CompletedFile, Thumbnail
from contracts.failures import Failure, FailureCode
from contracts.kinds import KINDS
from contracts.media import filename, incoming_prefix, object_key, poster_key, thumbnail_key
from services.generator.providers.base import Medium, ProviderFailed, SmallerVersion
from services.generator.store.leases import Claim
from services.generator.usecases.tell_origin import TellOrigin
from services.runtime.failpoints import reach
from services.runtime.logs import get_logger
from services.runtime.objects import Objects, ObjectsUnavailable

_log = get_logger(part="store")


class StoreMedia:
    """Puts media into the bucket; `lease` counts who tries, so that nobody writes another's keys."""

    def __init__(self, objects: Objects, tell_origin: TellOrigin | None = None) -> None:
        self._objects = objects
        self._tell_origin = tell_origin or TellOrigin()

    async def __call__(self, claim: Claim, media: Sequence[Medium], *, lease: int) -> list[CompletedFile]:
        """Store media and return their files; raises ProviderFailed, ObjectsUnavailable and ObjectClash."""
        return list(await asyncio.gather(*(self._store(claim, medium, lease) for medium in media)))

    async def drop_incoming(self, claim: Claim) -> None:
        """Remove what a worker of others uploaded for a job: its files have objects of their own now."""
        try:
            await self._objects.delete_all(incoming_prefix(claim.job_id))
        except ObjectsUnavailable as error:
            _log.warning("uploads of a worker are left to the janitor", job_id=claim.job_id, error=str(error))

    async def _store(self, claim: Claim, medium: Medium, lease: int) -> CompletedFile:
        body = await self._tell_origin(claim, medium)
        if body is None:
            raise ProviderFailed(Failure.of(FailureCode.NO_MEDIA, "a rendered file has no bytes", stage="saving"))
        kind = KINDS[claim.kind]
        key = object_key(kind, claim.job_id, medium.index, medium.format, lease)
        digest, size = (
            (hashlib.sha256(body).hexdigest(), len(body))
            if isinstance(body, bytes)
            else await asyncio.to_thread(_hash, body)
        )
        _, smaller = await asyncio.gather(
            self._objects.put(key, body, content_type=medium.content_type, sha256=digest),
            self._store_smaller(key, medium),
        )
        reach("gen.after_put")
        thumbnail = None
        if medium.poster is not None:
            thumbnail = poster_key(key)
            poster_digest, _ = await asyncio.to_thread(_hash, medium.poster)
            await self._objects.put(thumbnail, medium.poster, content_type="image/jpeg", sha256=poster_digest)
        return CompletedFile(
            index=medium.index,
            storage_key=key,
            filename=filename(kind, medium.index, medium.format),
            format=medium.format,
            content_type=medium.content_type,
            size_bytes=size,
            width=medium.width,
            height=medium.height,
            sha256=digest,
            duration_seconds=medium.duration_seconds,
            fps=medium.fps,
            thumbnail_key=thumbnail,
            thumbnails=smaller,
            placeholder=medium.placeholder,
        )

    async def _store_smaller(self, key: str, medium: Medium) -> list[Thumbnail]:
        return list(await asyncio.gather(*(self._store_one_smaller(key, one) for one in medium.smaller)))

    async def _store_one_smaller(self, key: str, one: SmallerVersion) -> Thumbnail:
        own_key = thumbnail_key(key, one.width, one.format)
        digest, size = await asyncio.to_thread(_hash, one.path)
        await self._objects.put(own_key, one.path, content_type=f"image/{one.format.lower()}", sha256=digest)
        return Thumbnail(width=one.width, height=one.height, format=one.format, storage_key=own_key, size_bytes=size)


def _hash(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return digest, path.stat().st_size
