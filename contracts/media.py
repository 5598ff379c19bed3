"""Where a medium lies and how it is addressed: object keys as in the seeds, and one lasting address of ours."""

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


def media_path(token: str, name: str) -> str:
    """Return the lasting address of a file, relative to the public URL."""
    return f"/media/{token}/{name}"
