"""A zip is streamed: what is held at once does not grow with what is packed."""

import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from services.gateway.queries.downloads import DownloadFile
from services.gateway.usecases.stream_zip import StreamZip, names_of
from services.runtime.signed_objects import CHUNK, ObjectAbsent

MADE = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


class Bucket:
    """Objects of so many chunks each."""

    def __init__(self, chunks: int) -> None:
        self._chunks = chunks

    @asynccontextmanager
    async def read(self, key: str) -> AsyncIterator[AsyncIterator[bytes]]:
        if key == "absent":
            raise ObjectAbsent(key)

        async def body() -> AsyncIterator[bytes]:
            for _ in range(self._chunks):
                yield key[:1].encode() * CHUNK

        yield body()


def file(key: str | None, prompt: str = "Sea", size: int | None = None) -> DownloadFile:
    return DownloadFile("g", prompt, MADE, "image_1.png", key, size, "https://elsewhere.example.org/a.png")


@pytest.mark.parametrize("size", [200 * CHUNK, None], ids=["a known size", "a size nobody knows"])
async def test_no_more_than_a_chunk_waits_at_once(size: int | None) -> None:
    stream = StreamZip(cast(Any, Bucket(200)))
    parts = [part async for part in stream([file("a", size=size), file("b", size=size), file("c", size=size)])]
    assert max(len(part) for part in parts) < 2 * CHUNK
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as archive:
        assert archive.testzip() is None
        assert [info.file_size for info in archive.infolist()] == [200 * CHUNK] * 3
        assert archive.infolist()[0].date_time == (2026, 11, 20, 12, 30, 0)


async def test_what_is_not_ours_or_not_there_is_listed() -> None:
    stream = StreamZip(cast(Any, Bucket(1)))
    parts = [part async for part in stream([file("a"), file(None), file("absent")])]
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as archive:
        assert archive.namelist() == ["2026-11-20_sea_1.png", "links.txt"]
        assert archive.read("links.txt").decode() == (
            "2026-11-20_sea_2.png: https://elsewhere.example.org/a.png\n2026-11-20_sea_3.png: the file is missing\n"
        )


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("../../etc/passwd", "2026-11-20_etc-passwd_1.png"),
        ("C:\\con\\nul", "2026-11-20_c-con-nul_1.png"),
        ('a"\r\nSet-Cookie: x', "2026-11-20_a-set-cookie-x_1.png"),
        ("Été à la plage, très ensoleillé, avec des enfants qui jouent", None),
        ("波の音", "2026-11-20_untitled_1.png"),
        ("", "2026-11-20_untitled_1.png"),
    ],
    ids=ascii,
)
def test_a_name_is_plain_whatever_the_prompt_h38(prompt: str, name: str | None) -> None:
    [made] = names_of([file("a", prompt)])
    assert made.isascii()
    assert not set(made) & set('/\\:*?"<>|\r\n ')
    assert len(made) <= 60
    assert name is None or made == name
