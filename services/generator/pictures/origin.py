"""Where a medium comes from, written into its file as XMP without touching a pixel or a mark that is there already.

A file that carries XMP or a C2PA manifest of its maker stays byte for byte as it came: a second XMP packet is not
allowed, and a manifest is bound to the bytes around it.
"""

import re
import shutil
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from xml.sax.saxutils import quoteattr

SOURCES: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""IPTC's words for how a picture came to be; C2PA uses the same ones."""
MOST_PROMPT: Final = 10_000
_NO_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XMP_PNG: Final = b"XML:com.adobe.xmp"
_XMP_JPEG: Final = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_BOX: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_C2PA_BOX: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_MOST_SEGMENT: Final = 65_533
_BOXED: Final = ("MP4", "AVIF")


@dataclass(frozen=True, slots=True)
class Origin:
    """What a file tells of how it was made; `source` is a name of SOURCES, `prompt` only where that is allowed."""

    software: str
    job_id: str
    index: int
    model: str
    asked_at: datetime
    source: str
    prompt: str | None = None

    @property
    def source_type(self) -> str:
        """The source as its full address."""
        return SOURCES + self.source


def xmp(origin: Origin) -> bytes:
    """Return the packet of an origin."""
    said = {
        "xmp:CreatorTool": origin.software,
        "xmp:CreateDate": origin.asked_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "dc:identifier": f"{origin.job_id}/{origin.index}",
        "Iptc4xmpExt:DigitalSourceType": origin.source_type,
        "Iptc4xmpExt:AISystemUsed": origin.model,
    }
    if origin.prompt is not None:
        said["Iptc4xmpExt:AIPromptInformation"] = origin.prompt[:MOST_PROMPT]
    attributes = " ".join(f"{name}={quoteattr(_NO_XML.sub('', text))}" for name, text in said.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        f' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" {attributes}/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def has_manifest(path: Path, media_format: str) -> bool:
    """Tell whether a file carries a C2PA manifest of its maker."""
    try:
        if media_format in _BOXED:
            return any(kind == _C2PA_BOX for kind in _kinds_of_boxes(path))
        return _MANIFESTS[media_format](path.read_bytes()) if media_format in _MANIFESTS else False
    except (ValueError, IndexError, struct.error):
        return False


def write_origin(path: Path, media_format: str, origin: Origin, target: Path) -> bool:
    """Write the file with its origin to `target`; False, and nothing written, where it stays as it came."""
    if media_format not in _BOXED:
        told = with_origin(path.read_bytes(), media_format, origin)
        if told is not None:
            target.write_bytes(told)
        return told is not None
    try:
        if not {_XMP_BOX, _C2PA_BOX, b""}.isdisjoint(_kinds_of_boxes(path)):
            return False
    except (ValueError, IndexError, struct.error):
        return False
    packet = xmp(origin)
    shutil.copyfile(path, target)
    with target.open("ab") as file:
        file.write(struct.pack(">I4s", 24 + len(packet), b"uuid") + _XMP_BOX + packet)
    return True


def with_origin(body: bytes, media_format: str, origin: Origin) -> bytes | None:
    """Return the bytes of a picture with its origin, or None where it stays as it came."""
    try:
        return _WRITERS[media_format](body, origin) if media_format in _WRITERS else None
    except (ValueError, IndexError, struct.error):
        return None  # whoever made it takes liberties with the format: then nothing is added


def _png(body: bytes, origin: Origin) -> bytes | None:
    for name, data in _png_chunks(body):
        if name == b"caBX" or (name == b"iTXt" and data.startswith(_XMP_PNG)):
            return None
    head = 8 + 25  # the signature and IHDR, which comes first
    texts = _png_chunk(b"tEXt", b"Software\0" + origin.software.encode("latin-1", "replace"))
    packet = _png_chunk(b"iTXt", _XMP_PNG + b"\0\0\0\0\0" + xmp(origin))
    return body[:head] + texts + packet + body[head:]


def _png_chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks' names with what they begin with."""
    place = 8
    if body[12:16] != b"IHDR":
        raise ValueError("no header")
    while place + 12 <= len(body):
        length, name = struct.unpack_from(">I4s", body, place)
        yield name, body[place + 8 : place + 8 + min(length, 64)]
        place += 12 + length


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _jpeg(body: bytes, origin: Origin) -> bytes | None:
    after = 2
    for marker, place, length in _jpeg_segments(body):
        data = body[place + 4 : place + 4 + 32]
        if marker == 0xEB or (marker == 0xE1 and data.startswith(_XMP_JPEG)):
            return None
        if marker == 0xE0 or (marker == 0xE1 and data.startswith(b"Exif")):
            after = place + 2 + length
    packet = _XMP_JPEG + xmp(origin)
    if len(packet) > _MOST_SEGMENT:
        return None
    return body[:after] + struct.pack(">HH", 0xFFE1, 2 + len(packet)) + packet + body[after:]


def _jpeg_segments(body: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, place and length of each segment before the picture's data."""
    place = 2
    while body[place] == 0xFF and body[place + 1] != 0xDA:
        length = struct.unpack_from(">H", body, place + 2)[0]
        yield body[place + 1], place, length
        place += 2 + length
    if body[place : place + 2] != b"\xff\xda":
        raise ValueError("no picture where one should begin")


def _webp(body: bytes, origin: Origin) -> bytes | None:
    chunks = {name: data for name, data in _webp_chunks(body)}
    if b"XMP " in chunks or b"C2PA" in chunks:
        return None
    packet = xmp(origin)
    rest = body[12 : 8 + struct.unpack_from("<I", body, 4)[0]]
    if b"VP8X" in chunks:
        place = rest.index(b"VP8X") + 8
        rest = rest[:place] + bytes([rest[place] | 0x04]) + rest[place + 1 :]
    else:
        rest = _webp_chunk(b"VP8X", _webp_head(chunks)) + rest
    inside = b"WEBP" + rest + _webp_chunk(b"XMP ", packet)
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


def _webp_chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks' names with what they begin with."""
    place, end = 12, 8 + struct.unpack_from("<I", body, 4)[0]
    while place + 8 <= end:
        name, length = struct.unpack_from("<4sI", body, place)
        yield name, body[place + 8 : place + 8 + min(length, 16)]
        place += 8 + length + length % 2


def _webp_chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _webp_head(chunks: dict[bytes, bytes]) -> bytes:
    """The extended header of a simple file: that there is XMP, whether something shows through, and the size."""
    if b"VP8L" in chunks:
        bits = struct.unpack_from("<I", chunks[b"VP8L"], 1)[0]
        width, height, see_through = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", chunks.get(b"VP8 ", b""), 6))
        width, height, see_through = width - 1, height - 1, 0
    return bytes([0x04 | see_through << 4, 0, 0, 0]) + struct.pack("<I", width)[:3] + struct.pack("<I", height)[:3]


def _kinds_of_boxes(path: Path) -> Iterator[bytes]:
    """Yield the user types of the top-level `uuid` boxes, and an empty one for a box without an end of its own."""
    size = path.stat().st_size
    with path.open("rb") as file:
        place = 0
        while place < size:
            file.seek(place)
            head = file.read(32)
            length, name = struct.unpack_from(">I4s", head)
            start = 8
            if length == 1:
                length, start = struct.unpack_from(">Q", head, 8)[0], 16
            if length == 0:
                yield b""
                return
            if length < start or place + length > size:
                raise ValueError("a box is cut off")
            if name == b"uuid":
                yield head[start : start + 16]
            place += length


_WRITERS: Final = {"PNG": _png, "JPEG": _jpeg, "WEBP": _webp}
_MANIFESTS: Final = {
    "PNG": lambda body: any(name == b"caBX" for name, _ in _png_chunks(body)),
    "JPEG": lambda body: any(marker == 0xEB for marker, _, _ in _jpeg_segments(body)),
    "WEBP": lambda body: any(name == b"C2PA" for name, _ in _webp_chunks(body)),
}
