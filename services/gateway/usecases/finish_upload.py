"""Finish an upload: what lies in the bucket is what was announced, or it is removed."""

import hashlib

from services.gateway.queries import uploads
from services.gateway.queries.uploads import Upload, upload_of
from services.gateway.store.uploads import DELETE_UPLOAD, FINISH_UPLOAD
from services.runtime.database import Pool, transaction
from services.runtime.own_rows import OwnRows
from services.runtime.signed_objects import ObjectAbsent, SignedObjects

_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


class UploadUnfinished(Exception):
    """The bytes have not arrived."""


class UploadRefused(Exception):
    """What arrived is not what was announced; it was removed. `code` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class FinishUpload:
    """Checks size, hash and type of an upload before anything may use it."""

    def __init__(self, pool: Pool, objects: SignedObjects) -> None:
        self._pool = pool
        self._objects = objects

    async def __call__(self, upload: Upload) -> Upload:
        """Return the finished upload; raises UploadUnfinished or UploadRefused."""
        if upload.ready:
            return upload
        try:
            size, digest, start = await self._look(upload.storage_key, most=upload.size_bytes)
        except ObjectAbsent:
            raise UploadUnfinished from None
        if (size, digest) != (upload.size_bytes, upload.sha256):
            raise await self._refuse(upload, "upload_mismatch", "the bytes are not those announced; upload them again")
        content_type = sniffed_type(start)
        if content_type is None:
            raise await self._refuse(upload, "upload_not_an_image", "the bytes are not a PNG, JPEG or WebP image")
        finished = upload_of(await self._pool.fetchrow(FINISH_UPLOAD, upload.id, content_type))
        # Another request may have finished it, or removed it, meanwhile.
        finished = finished or await uploads.upload(OwnRows(self._pool, upload.owner_id), upload.id)
        if finished is None:
            raise UploadUnfinished
        return finished

    async def _look(self, key: str, *, most: int) -> tuple[int, str, bytes]:
        digest, size, start = hashlib.sha256(), 0, b""
        async with self._objects.read(key) as chunks:
            async for chunk in chunks:
                start = start or chunk[:16]
                digest.update(chunk)
                size += len(chunk)
                if size > most:
                    break
        return size, digest.hexdigest(), start

    async def _refuse(self, upload: Upload, code: str, detail: str) -> UploadRefused:
        async with transaction(self._pool) as connection:
            await connection.execute(DELETE_UPLOAD, upload.id, upload.owner_id)
            await self._objects.delete(upload.storage_key)
        return UploadRefused(code, detail)


def sniffed_type(start: bytes) -> str | None:
    """Return the media type that the first bytes of a file show, whatever its name says."""
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "image/webp"
    return next((found for signature, found in _SIGNATURES.items() if start.startswith(signature)), None)
