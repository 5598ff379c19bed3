"""Bring an input image to a render: ours by its key, others through the guarded client; always written anew."""

import asyncio
import hashlib
from pathlib import Path
from urllib.parse import urlsplit

from contracts.failures import Failure, FailureCode
from services.generator import queries
from services.generator.providers.base import ProviderFailed
from services.generator.render_pool import RenderFailed, RenderPool
from services.runtime.addresses import AddressRefused
from services.runtime.database import Pool
from services.runtime.guarded_http import FetchFailed, GuardedFetcher
from services.runtime.objects import ObjectMissing, Objects, ObjectTooLarge

MOST_BYTES = 32 * 1024 * 1024
"""A picture of ours of 2048 x 2048 pixels is half of that."""
MOST_FETCHED_BYTES = 10 * 1024 * 1024
FETCH_SECONDS = 15.0
CLEANER = "services.generator.pictures.clean"
UPLOAD = "upload:"

_TAKEN = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
# What is a picture or a document of a kind that we do not take, as against no picture at all.
_OTHER_PICTURES = (b"GIF8", b"BM", b"II*\0", b"MM\0*", b"%PDF", b"%!PS", b"8BPS", b"\0\0\1\0", b"\xff\x0a", b"qoif")


class InputRefused(ProviderFailed):
    """The input image cannot be used; `reason` is a stable code."""

    def __init__(self, reason: str, detail: str) -> None:
        message = f"input_image_url: {detail}"
        super().__init__(Failure.of(FailureCode.INVALID_INPUT, message, stage="initializing", reason=reason))


class ReadInput:
    """Reads input images into an attempt's folder; `cleaners` are children that run CLEANER."""

    def __init__(
        self,
        pool: Pool,
        objects: Objects,
        fetcher: GuardedFetcher,
        cleaners: RenderPool,
        public_url: str,
        *,
        seconds: float = FETCH_SECONDS,
    ) -> None:
        self._pool = pool
        self._objects = objects
        self._fetcher = fetcher
        self._cleaners = cleaners
        self._public_url = public_url.rstrip("/")
        self._seconds = seconds

    async def __call__(self, address: str, owner_id: str, folder: Path) -> Path:
        """Return the path of a picture that holds pixels only; raises InputRefused for whatever cannot be used."""
        own = address.removeprefix(self._public_url)
        if own.startswith("/media/"):
            body = await self._read_own(own, owner_id)
        elif address.startswith(UPLOAD):
            body = await self._read_upload(address.removeprefix(UPLOAD), owner_id)
        else:
            body = await self._fetch(address)
        _check_kind(body)
        raw = folder / "input.raw"
        await asyncio.to_thread(raw.write_bytes, body)
        return await self._clean(raw, folder)

    async def _clean(self, raw: Path, folder: Path) -> Path:
        try:
            done = await self._cleaners.render({"path": str(raw), "folder": str(folder)}, lambda _: None)
        except RenderFailed as error:
            if error.failure.reason is not None:
                raise ProviderFailed(error.failure.model_copy(update={"stage": "initializing"})) from None
            # The child died of it, or ran out of memory or time: the same bytes would do so again.
            raise InputRefused("input_image_unreadable", "it could not be read within the limits") from None
        return Path(done["path"])

    async def _read_own(self, path: str, owner_id: str) -> bytes:
        token = urlsplit(path).path.split("/")[2]
        key = await queries.own_object(self._pool, token, owner_id)
        if key is None:
            raise InputRefused("input_image_not_found", "there is no image of yours at this address")
        return await self._read(key)

    async def _read_upload(self, upload_id: str, owner_id: str) -> bytes:
        upload = await queries.own_upload(self._pool, upload_id, owner_id)
        if upload is None:
            raise InputRefused("upload_unknown", "there is no finished upload of yours with this id")
        body = await self._read(upload["storage_key"])
        if hashlib.sha256(body).hexdigest() != upload["sha256"]:
            raise InputRefused("upload_changed", "the bytes are not those that were announced; upload them again")
        return body

    async def _read(self, key: str) -> bytes:
        try:
            return await self._objects.get(key, most_bytes=MOST_BYTES)
        except ObjectTooLarge:
            raise InputRefused("input_image_too_large", f"it is larger than {MOST_BYTES} bytes") from None
        except ObjectMissing:
            raise InputRefused("input_image_not_found", "its object is gone") from None

    async def _fetch(self, address: str) -> bytes:
        try:
            return await self._fetcher.fetch(address, most_bytes=MOST_FETCHED_BYTES, seconds=self._seconds)
        except AddressRefused as error:
            raise InputRefused(error.code, error.detail) from None
        except FetchFailed as error:
            raise InputRefused(f"input_image_{error.code}", error.detail) from None


def _check_kind(body: bytes) -> None:
    """Raise InputRefused for bytes that begin unlike a PNG, JPEG or WebP; a name or a type given counts nothing."""
    if body.startswith(_TAKEN) or (body.startswith(b"RIFF") and body[8:12] == b"WEBP"):
        return
    if body.startswith(_OTHER_PICTURES) or body[4:8] == b"ftyp" or b"<svg" in body[:1_024].lower():
        raise InputRefused("input_image_format_unsupported", "it is not a PNG, JPEG or WebP image")
    raise InputRefused("input_image_not_an_image", "what the address answers is not an image")
