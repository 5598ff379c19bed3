"""Stream files as one zip: a chunk in, a chunk out, whatever their number and size."""

import zipfile
from collections.abc import AsyncIterator, Sequence
from io import RawIOBase
from typing import Any

from contracts.media import download_name
from services.gateway.queries.downloads import DownloadFile
from services.runtime.signed_objects import ObjectAbsent, SignedObjects


class _Sink(RawIOBase):
    """Where the archive is written to: it keeps what was not sent yet, and cannot be sought."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


def names_of(files: Sequence[DownloadFile]) -> list[str]:
    """Return a name for each file, all different: `<date>_<words of the prompt>_<n>.<extension>`."""
    names: list[str] = []
    taken: set[str] = set()
    for file in files:
        number = 1
        ending = file.filename.rpartition(".")[2] if "." in file.filename else "bin"
        while (name := download_name(file.made_at, file.prompt, number, ending)) in taken:
            number += 1
        taken.add(name)
        names.append(name)
    return names


class StreamZip:
    """The use case behind GET /api/gallery/zip; media are stored as they are, they would not get smaller."""

    def __init__(self, objects: SignedObjects) -> None:
        self._objects = objects

    async def __call__(self, files: Sequence[DownloadFile]) -> AsyncIterator[bytes]:
        """Yield the archive; raises ObjectStoreAway in the middle, which ends the answer unfinished."""
        sink = _Sink()
        links: list[str] = []
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
            for name, file in zip(names_of(files), files, strict=True):
                if file.storage_key is None:
                    links.append(f"{name}: {file.address}")
                    continue
                info = zipfile.ZipInfo(name, date_time=file.made_at.timetuple()[:6])
                info.external_attr = 0o644 << 16
                # Tells the archive whether this one needs the fields for more than 4 GB.
                info.file_size = file.size_bytes or 0
                try:
                    async with self._objects.read(file.storage_key) as chunks:
                        with archive.open(info, "w", force_zip64=file.size_bytes is None) as entry:
                            async for chunk in chunks:
                                entry.write(chunk)
                                yield sink.take()
                except ObjectAbsent:
                    links.append(f"{name}: the file is missing")
            if links:
                archive.writestr("links.txt", "\n".join(links) + "\n")
        yield sink.take()
