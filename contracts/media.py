"""Where a medium lies and how it is addressed: object keys as in the seeds, and one lasting address of ours."""

import hashlib
import re
import unicodedata
from datetime import datetime
from urllib.parse import quote

from contracts.kinds import Kind

_EXTENSIONS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "AVIF": "avif", "MP4": "mp4"}
POSTER_EXTENSION = "jpg"


def extension(media_format: str) -> str:
    """Return the file extension of a format, e.g. `png` for `PNG`."""
    return _EXTENSIONS.get(media_format.upper(), media_format.lower())


def filename(kind: Kind, index: int, media_format: str) -> str:
    """Return the name of the n-th file of a job (n counts from 1), e.g. `image_1.png`."""
    return f"{kind.name}_{index}.{extension(media_format)}"


def object_folder(kind: Kind, job_id: str, fence: int) -> str:
    """Return the folder one lease writes to: the seeds' own for the first, a fenced one for every later lease."""
    return f"{kind.plural}/{job_id}" if fence <= 1 else f"{kind.plural}/{job_id}/f{fence}"


def object_key(kind: Kind, job_id: str, index: int, media_format: str, fence: int = 1) -> str:
    """Return the object key of the n-th file, e.g. `images/<job_id>/image_1.png` (seeds, E8)."""
    return f"{object_folder(kind, job_id, fence)}/{filename(kind, index, media_format)}"


def poster_key(key: str) -> str:
    """Return the key of the poster frame that belongs to a film's key."""
    return f"{key.rpartition('.')[0]}.{POSTER_EXTENSION}"


def thumbnail_name(width: int, media_format: str) -> str:
    """Return the name of the version of a file that is `width` pixels wide, e.g. `thumb_320.webp`."""
    return f"thumb_{width}.{extension(media_format)}"


def thumbnail_key(key: str, width: int, media_format: str) -> str:
    """Return the key of a smaller version, beside the file's own, e.g. `images/<job_id>/image_1_thumb_320.webp`."""
    return f"{key.rpartition('.')[0]}_{thumbnail_name(width, media_format)}"


def object_prefix(kind: Kind, job_id: str) -> str:
    """Return what every object key of a job begins with, whichever lease wrote it."""
    return f"{kind.plural}/{job_id}/"


def preview_prefix(kind: Kind, job_id: str) -> str:
    """Return what the keys of a job's unfinished pictures begin with."""
    return f"{object_prefix(kind, job_id)}previews/"


def preview_key(kind: Kind, job_id: str, lease: int, number: int) -> str:
    """Return the object key of the n-th unfinished picture that a lease shows."""
    return f"{preview_prefix(kind, job_id)}{lease}_{number}.webp"


def incoming_prefix(job_id: str) -> str:
    """Return what the keys of all that a worker of others uploads for a job begin with."""
    return f"incoming/{job_id}/"


def incoming_key(job_id: str, sha256: str) -> str:
    """Return the object key of bytes that a worker of others uploads; it says what they must hash to."""
    return f"{incoming_prefix(job_id)}{sha256}"


def upload_key(owner_id: str, sha256: str) -> str:
    """Return the object key of uploaded bytes: the same bytes of the same owner have one."""
    return f"uploads/{hashlib.sha256(owner_id.encode()).hexdigest()[:24]}/{sha256}"


def download_name(made_at: datetime, prompt: str, number: int, extension: str) -> str:
    """Return a plain file name for a download, e.g. `2026-11-20_un-chat-mignon_1.png`; ASCII, whatever the prompt."""
    plain = unicodedata.normalize("NFKD", prompt).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain[:200]).strip("-")[:40].strip("-") or "untitled"
    return f"{made_at:%Y-%m-%d}_{slug}_{number}.{re.sub('[^a-z0-9]', '', extension.lower()) or 'bin'}"


def attachment(name: str) -> str:
    """Return a Content-Disposition that saves under this name: RFC 5987 for all of it, and ASCII for old readers."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name) or "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def media_path(token: str, name: str) -> str:
    """Return the lasting address of a file, relative to the public URL."""
    return f"/media/{token}/{name}"
