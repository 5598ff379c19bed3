"""What a file is by its own bytes, and whether it is whole; nothing is decoded here."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

CONTENT_TYPES: Final = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "MP4": "video/mp4",
}
KIND_OF: Final = {"PNG": "image", "JPEG": "image", "WEBP": "image", "AVIF": "image", "MP4": "video"}
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_NOT_MP4: Final = (b"heic", b"heix", b"mif1", b"msf1", b"qt  ", b"crx ")
_TAIL: Final = 64 * 1024
"""Bytes at the end of a JPEG in which its end mark may be followed by other data."""


def sniff(head: bytes) -> str | None:
    """Name the format of a file by its first 16 bytes, or None."""
    if head.startswith(_PNG):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in (b"avif", b"avis"):
            return "AVIF"
        return None if brand in _NOT_MP4 else "MP4"
    return None


def is_html(head: bytes) -> bool:
    """Tell whether a file begins like a web page."""
    return head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def is_whole(path: Path, media_format: str) -> bool:
    """Tell whether a file's own structure reaches its end unbroken; a decoder may still refuse what is inside."""
    size = path.stat().st_size
    with path.open("rb") as file:
        return _WHOLE[media_format](file, size)


def _png(file: BinaryIO, size: int) -> bool:
    file.seek(len(_PNG))
    while True:
        head = file.read(8)
        if len(head) < 8:
            return False
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        if length > size:
            return False
        body, check = file.read(length), file.read(4)
        if len(body) < length or int.from_bytes(check, "big") != zlib.crc32(name + body):
            return False
        if name == b"IEND":
            return True


def _jpeg(file: BinaryIO, size: int) -> bool:
    """Walk the segments to the picture's data, then look for the end mark."""
    place, marker = 2, 0
    while marker != 0xDA:
        file.seek(place)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return False
        marker = head[1]
        place += 2 + int.from_bytes(head[2:], "big")
    file.seek(max(place, size - _TAIL))
    return b"\xff\xd9" in file.read()


def _webp(file: BinaryIO, size: int) -> bool:
    file.seek(4)
    return 4 < int.from_bytes(file.read(4), "little") + 8 <= size


def _mp4(file: BinaryIO, size: int) -> bool:
    try:
        return {b"moov", b"mdat"} <= set(_boxes(file, size))
    except ValueError:
        return False


def _avif(file: BinaryIO, size: int) -> bool:
    try:
        return b"meta" in set(_boxes(file, size))
    except ValueError:
        return False


def _boxes(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Walk the top-level boxes; raises ValueError when one does not fit."""
    place = 0
    while place < size:
        file.seek(place)
        head = file.read(16)
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:
            length = size - place
        if length < 8 or place + length > size:
            raise ValueError("a box is cut off")
        yield name
        place += length


_WHOLE: Final[dict[str, Callable[[BinaryIO, int], bool]]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "WEBP": _webp,
    "AVIF": _avif,
    "MP4": _mp4,
}
