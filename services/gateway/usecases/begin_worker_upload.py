"""Begin the upload of what a worker of others rendered: a signed form for exactly these bytes of one open job."""

from dataclasses import dataclass

from contracts.kinds import KINDS, Kind
from contracts.media import incoming_key
from contracts.provider_settings import EXTERNAL
from contracts.status import TERMINAL, JobStatus
from services.gateway.queries.jobs import worker_job
from services.runtime.database import Pool
from services.runtime.signed_urls import UploadForm, UrlSigner


class NoSuchJob(Exception):
    """No worker of others has a job of this id."""


class JobEnded(Exception):
    """The job has ended; whatever is uploaded for it now is of no use."""

    def __init__(self, status: JobStatus) -> None:
        super().__init__(status.value)
        self.status = status


class NotOfItsKind(Exception):
    """A job of this kind has no files of this type or size."""

    def __init__(self, kind: Kind, field: str) -> None:
        super().__init__(field)
        self.kind = kind
        self.field = field


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a worker made: its type, its size in bytes and its SHA-256 in hex."""

    content_type: str
    size_bytes: int
    sha256: str


class BeginWorkerUpload:
    """The use case behind POST /api/generators/uploads."""

    def __init__(self, pool: Pool, signer: UrlSigner) -> None:
        self._pool = pool
        self._signer = signer

    async def __call__(self, job_id: str, rendered: Rendered) -> tuple[str, UploadForm]:
        """Return the object's key and the form; raises NoSuchJob, JobEnded and NotOfItsKind."""
        job = await worker_job(self._pool, job_id)
        if job is None or not (job["provider"] or "").startswith(EXTERNAL) or job["kind"] not in KINDS:
            raise NoSuchJob
        status, kind = JobStatus(job["status"]), KINDS[job["kind"]]
        if status in TERMINAL:
            raise JobEnded(status)
        if rendered.content_type not in kind.formats.values():
            raise NotOfItsKind(kind, "content_type")
        if rendered.size_bytes > kind.most_bytes:
            raise NotOfItsKind(kind, "size_bytes")
        key = incoming_key(job_id, rendered.sha256)
        form = self._signer.sign_upload(
            key, content_type=rendered.content_type, size_bytes=rendered.size_bytes, sha256=rendered.sha256
        )
        return key, form
