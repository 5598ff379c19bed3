"""Bring an input image to a render: one of our own media by its key, any other address through the guarded client."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from contracts.failures import Failure, FailureCode
from services.generator import queries
from services.generator.providers.base import ProviderFailed
from services.runtime.database import Pool
from services.runtime.guarded_http import AddressRefused, FetchFailed, GuardedFetcher
from services.runtime.objects import Objects, ObjectTooLarge

MOST_BYTES = 32 * 1024 * 1024
"""A picture of ours of 2048 x 2048 pixels is half of that."""
MOST_FETCHED_BYTES = 10 * 1024 * 1024
FETCH_SECONDS = 15.0
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpg", b"RIFF": "webp"}


def _refuse(code: str, detail: str) -> ProviderFailed:
    return ProviderFailed(
        Failure.of(FailureCode.INVALID_INPUT, f"input_image_url: {detail}", stage="initializing", provider_words=code)
    )


class ReadInput:
    """Reads input images into an attempt's folder."""

    def __init__(self, pool: Pool, objects: Objects, fetcher: GuardedFetcher, public_url: str) -> None:
        self._pool = pool
        self._objects = objects
        self._fetcher = fetcher
        self._public_url = public_url.rstrip("/")

    async def __call__(self, address: str, owner_id: str, folder: Path) -> Path:
        """Return the path of the image; raises ProviderFailed with invalid_input for whatever cannot be used."""
        own = address.removeprefix(self._public_url)
        if own.startswith("/media/"):
            body = await self._read_own(own, owner_id)
        else:
            body = await self._fetch(address)
        suffix = next((suffix for start, suffix in _SIGNATURES.items() if body.startswith(start)), None)
        if suffix is None or (suffix == "webp" and body[8:12] != b"WEBP"):
            raise _refuse("input_image_format_unsupported", "it is not a PNG, JPEG or WebP image")
        path = folder / f"input.{suffix}"
        await asyncio.to_thread(path.write_bytes, body)
        return path

    async def _read_own(self, path: str, owner_id: str) -> bytes:
        token = urlsplit(path).path.split("/")[2]
        key = await queries.own_object(self._pool, token, owner_id)
        if key is None:
            raise _refuse("input_image_not_found", "there is no file of yours at this address")
        try:
            return await self._objects.get(key, most_bytes=MOST_BYTES)
        except ObjectTooLarge:
            raise _refuse("input_image_too_large", f"it is larger than {MOST_BYTES} bytes") from None

    async def _fetch(self, address: str) -> bytes:
        try:
            return await self._fetcher.fetch(address, most_bytes=MOST_FETCHED_BYTES, seconds=FETCH_SECONDS)
        except AddressRefused as error:
            raise _refuse(error.code, error.detail) from None
        except FetchFailed as error:
            raise _refuse(f"input_image_{error.code}", error.detail) from None
