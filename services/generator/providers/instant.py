"""The instant provider: a tiny valid picture or film in microseconds, so that load tests measure everything else."""

import hashlib
import struct
import zlib
from functools import cache
from importlib.resources import files
from typing import Final

from services.generator.providers.base import Medium, OnProgress, Order, Rendered

SIDE: Final = 64
CLIP_SECONDS: Final = 1.0
CLIP_FPS: Final = 8
CLIP_NAME: Final = "instant.mp4"


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _fold(value: int) -> int:
    """Up and down again within a byte, so that the rings have no edges."""
    ring = value >> 4 & 0x1FF
    return min(ring, 0x1FF - ring) & 0xFC


@cache
def _frame() -> tuple[bytes, bytes]:
    """What every picture shares: signature and header, then the pixels (rings as indices into the palette)."""
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 3, 0, 0, 0)
    rows = bytearray()
    for y in range(SIDE):
        rows.append(0)
        rows.extend(_fold((x - 40) ** 2 * 2 + (y - 22) ** 2 * 3 + x * y) for x in range(SIDE))
    start = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
    return start, _chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + _chunk(b"IEND", b"")


def instant_png(key: str) -> bytes:
    """A 64x64 picture whose colours follow from `key` alone."""
    digest = hashlib.blake2b(key.encode(), digest_size=6).digest()
    channels = [
        bytes((a * (255 - i) + b * i) // 255 for i in range(256)) for a, b in zip(digest, digest[3:], strict=False)
    ]
    palette = bytearray(768)
    for channel, ramp in enumerate(channels):
        palette[channel::3] = ramp
    start, pixels = _frame()
    return start + _chunk(b"PLTE", bytes(palette)) + pixels


@cache
def instant_mp4() -> bytes:
    """A 64x64 H.264 film of one second; `instant_clip` makes the file."""
    return files("services.generator.providers").joinpath(CLIP_NAME).read_bytes()


class InstantProvider:
    """Renders nothing: always a 64x64 PNG (whatever format was asked, `format` tells the truth) or a one-second MP4."""

    name = "instant"

    async def render(self, order: Order, on_progress: OnProgress) -> Rendered:
        """Answer at once, from memory."""
        make = self._film if order.kind == "video" else self._picture
        media = [make(order, index) for index in range(1, order.count + 1)]
        on_progress(1.0)
        return Rendered(media, {"model_name": "instant", "version": "1.0"})

    async def close(self) -> None:
        """Nothing is held."""

    @staticmethod
    def _picture(order: Order, index: int) -> Medium:
        key = f"{order.prompt}\n{order.seed}\n{index}"
        return Medium(index, "PNG", "image/png", SIDE, SIDE, data=instant_png(key), description=order.prompt)

    @staticmethod
    def _film(order: Order, index: int) -> Medium:
        return Medium(
            index,
            "MP4",
            "video/mp4",
            SIDE,
            SIDE,
            data=instant_mp4(),
            description=order.prompt,
            duration_seconds=CLIP_SECONDS,
            fps=CLIP_FPS,
        )
