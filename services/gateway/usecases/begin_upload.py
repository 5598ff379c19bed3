"""Begin an upload: a signed form for bytes we do not have, or the upload they are already."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contracts.ids import new_id
from contracts.media import upload_key
from services.gateway.queries import uploads
from services.gateway.queries.uploads import Upload, upload_of
from services.gateway.store.uploads import BEGIN_UPLOAD, COUNT_UPLOAD
from services.runtime.database import Pool, transaction
from services.runtime.signed_urls import UploadForm, UrlSigner

KEPT_UNFINISHED = 3_600
"""Seconds after which an announced upload that never came is forgotten."""


class UploadLimitReached(Exception):
    """This owner began as many uploads, or bytes, as one day allows; `retry_after` is in seconds."""

    def __init__(self) -> None:
        super().__init__("the day's uploads are used up; they begin anew at midnight UTC")
        now = datetime.now(UTC)
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        self.retry_after = int((midnight - now).total_seconds()) + 1


@dataclass(frozen=True, slots=True)
class Announced:
    """What somebody wants to upload: its type, its size in bytes and its SHA-256 in hex."""

    content_type: str
    size_bytes: int
    sha256: str
    filename: str | None


@dataclass(frozen=True, slots=True)
class Begun:
    """An upload; `form` is None when its bytes are here already."""

    upload: Upload
    form: UploadForm | None


class BeginUpload:
    """The use case behind POST /api/uploads."""

    def __init__(self, pool: Pool, signer: UrlSigner, *, most_a_day: int, most_bytes_a_day: int) -> None:
        self._pool = pool
        self._signer = signer
        self._most = most_a_day
        self._most_bytes = most_bytes_a_day

    async def __call__(self, owner_id: str, announced: Announced) -> Begun:
        """Return the upload and its form; raises UploadLimitReached."""
        known = await uploads.same_bytes(self._pool, owner_id, announced.sha256)
        if known is not None and known.ready:
            return Begun(known, None)
        async with transaction(self._pool) as connection:
            counted = await connection.fetchval(
                COUNT_UPLOAD, owner_id, announced.size_bytes, self._most, self._most_bytes
            )
            if counted is None:
                raise UploadLimitReached
            row = await connection.fetchrow(
                BEGIN_UPLOAD,
                new_id(),
                owner_id,
                announced.sha256,
                upload_key(owner_id, announced.sha256),
                announced.filename,
                announced.content_type,
                announced.size_bytes,
                KEPT_UNFINISHED,
            )
            begun = upload_of(row)
            if begun is None:
                known = await uploads.same_bytes(connection, owner_id, announced.sha256)
        if begun is None:
            if known is None:
                raise RuntimeError("an upload is neither new nor known")
            return Begun(known, None)
        return Begun(begun, self._sign(begun))

    def _sign(self, upload: Upload) -> UploadForm:
        return self._signer.sign_upload(
            upload.storage_key, content_type=upload.content_type, size_bytes=upload.size_bytes, sha256=upload.sha256
        )
