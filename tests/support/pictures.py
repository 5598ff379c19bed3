"""Pictures of every sort for tests, made here: good ones, and those that were made to do harm."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def picture(size: tuple[int, int] = (96, 64), mode: str = "RGB") -> Image.Image:
    """A picture with a gradient, in any mode of Pillow."""
    base = Image.linear_gradient("L").resize(size)
    if mode == "I;16":
        return base.convert("I").point(lambda value: value * 257).convert("I;16")
    if mode == "P+alpha":
        flat = base.convert("RGB").quantize(16)
        flat.info["transparency"] = 0
        return flat
    return base.convert(mode)


def encoded(image: Image.Image, format_name: str = "PNG", **options: Any) -> bytes:
    """The bytes of a picture."""
    target = io.BytesIO()
    image.save(target, format_name, **options)
    return target.getvalue()


def png(size: tuple[int, int] = (96, 64), mode: str = "RGB", **options: Any) -> bytes:
    return encoded(picture(size, mode), "PNG", **options)


def png_bomb(side: int) -> bytes:
    """A square of nothing: few bytes, many pixels."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" * ((side + 7) // 8 + 1)) * side, 9)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def animated_png(frames: int) -> bytes:
    """An APNG that says it has many frames."""
    body = png((8, 8))
    after_header = len(PNG) + 25
    control = chunk(b"acTL", struct.pack(">II", frames, 0)) + chunk(
        b"fcTL", struct.pack(">IIIIIHHBB", 0, 8, 8, 0, 0, 1, 10, 0, 0)
    )
    return body[:after_header] + control + body[after_header:]


def animated(format_name: str, frames: int = 3) -> bytes:
    made = [picture((16, 16)).rotate(90 * number) for number in range(frames)]
    return encoded(made[0], format_name, save_all=True, append_images=made[1:])


def located_jpeg() -> bytes:
    """A JPEG that says where it was taken, and is lying on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "CANARY-CAMERA"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.0)
    return encoded(picture((96, 64)), "JPEG", exif=exif, comment=b"CANARY-COMMENT")


def texts_png(size: int) -> bytes:
    """A PNG with a compressed text of `size` bytes."""
    body = png((8, 8))
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"CANARY" * (size // 6)))
    return body[:-12] + text + body[-12:]


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><title>hello</title><script>alert(1)</script>"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
PSD = b"8BPS\0\1" + b"\0" * 40
TAIL = b"<script>alert('CANARY-TAIL')</script>PK\3\4CANARY-ZIP"
