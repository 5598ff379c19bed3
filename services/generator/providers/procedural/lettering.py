"""Writing in Pillow's own face: it has ASCII letters only, so accents are drawn over them."""

import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final, cast

from PIL import ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont
Pen = ImageDraw.ImageDraw

_SPELT: Final = {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
_DASHES: Final = {"–": "-", "—": "-", "−": "-", "\u2011": "-", "\u00a0": " ", "\u202f": " "}


@cache
def face(size: float) -> Font:
    """The face at a size; Pillow's wheels carry FreeType, so it is a scalable one."""
    return cast(Font, ImageFont.load_default(size=size))


def writable(text: str) -> str:
    """The text in the characters `write` can draw; others become spaces."""
    spelt = "".join(_SPELT.get(char, _DASHES.get(char, char)) for char in unicodedata.normalize("NFC", text))
    return "".join(char if _known(char) else " " for char in spelt)


def width(line: str, font: Font) -> float:
    """How wide a line is."""
    return font.getlength(_bare(line))


def write(pen: Pen, place: tuple[float, float], line: str, font: Font) -> None:
    """Write a line of writable text in white, its upper left corner at `place`."""
    x, y = place
    bare = _bare(line)
    pen.text((x, y), bare, fill=255, font=font)
    for index, char in enumerate(line):
        for mark in unicodedata.normalize("NFD", char)[1:]:
            left, top, right, low = font.getbbox(bare[index])
            at = x + font.getlength(bare[: index + 1]) - font.getlength(bare[index])
            if bare[index] in "ij" and mark != "\u0327":
                # The accent takes the place of the dot.
                stem = font.getbbox("x")[1]
                pen.rectangle([at + left, y + top - 1, at + right, y + stem - 1], fill=0)
                top = stem
            _MARKS[mark](pen, at + (left + right) / 2, y + top, y + low, font.size)


def _bare(line: str) -> str:
    return "".join(unicodedata.normalize("NFD", char)[0] for char in line)


@cache
def _known(char: str) -> bool:
    parts = unicodedata.normalize("NFD", char)
    base, marks = parts[0], parts[1:]
    if base.isspace():
        return base == " "
    font = face(24)
    return bytes(font.getmask(base)) != bytes(font.getmask("\uffff")) and all(mark in _MARKS for mark in marks)


def _line(pen: Pen, points: list[tuple[float, float]], size: float) -> None:
    thick = max(1, round(size * 0.068))
    pen.line(points, fill=255, width=thick, joint="curve")


def _acute(pen: Pen, x: float, top: float, low: float, size: float) -> None:
    _line(pen, [(x - 0.045 * size, top - 0.07 * size), (x + 0.075 * size, top - 0.18 * size)], size)


def _grave(pen: Pen, x: float, top: float, low: float, size: float) -> None:
    _line(pen, [(x + 0.045 * size, top - 0.07 * size), (x - 0.075 * size, top - 0.18 * size)], size)


def _circumflex(pen: Pen, x: float, top: float, low: float, size: float) -> None:
    high, foot = top - 0.175 * size, top - 0.075 * size
    _line(pen, [(x - 0.105 * size, foot), (x, high), (x + 0.105 * size, foot)], size)


def _caron(pen: Pen, x: float, top: float, low: float, size: float) -> None:
    high, foot = top - 0.175 * size, top - 0.075 * size
    _line(pen, [(x - 0.105 * size, high), (x, foot), (x + 0.105 * size, high)], size)


def _diaeresis(pen: Pen, x: float, top: float, low: float, size: float) -> None:
    radius, y = 0.046 * size, top - 0.12 * size
    for side in (-1, 1):
        middle = x + side * 0.095 * size
        pen.ellipse([middle - radius, y - radius, middle + radius, y + radius], fill=255)


def _tilde(pen: Pen, x: float, top: float, low: float, size: float) -> None:
    y = top - 0.12 * size
    steps = ((-0.12, 0.03), (-0.06, -0.03), (0.0, 0.0), (0.06, 0.03), (0.12, -0.03))
    _line(pen, [(x + dx * size, y + dy * size) for dx, dy in steps], size)


def _ring(pen: Pen, x: float, top: float, low: float, size: float) -> None:
    radius, y = 0.075 * size, top - 0.11 * size
    pen.ellipse([x - radius, y - radius, x + radius, y + radius], outline=255, width=max(1, round(size * 0.045)))


def _macron(pen: Pen, x: float, top: float, low: float, size: float) -> None:
    _line(pen, [(x - 0.1 * size, top - 0.12 * size), (x + 0.1 * size, top - 0.12 * size)], size)


def _cedilla(pen: Pen, x: float, top: float, low: float, size: float) -> None:
    hook = ((0.015, -0.01), (-0.005, 0.05), (0.045, 0.08), (0.04, 0.14), (-0.05, 0.155))
    _line(pen, [(x + dx * size, low + dy * size) for dx, dy in hook], size * 0.8)


_MARKS: Final[dict[str, Callable[[Pen, float, float, float, float], None]]] = {
    "\u0300": _grave,
    "\u0301": _acute,
    "\u0302": _circumflex,
    "\u0303": _tilde,
    "\u0304": _macron,
    "\u0308": _diaeresis,
    "\u030a": _ring,
    "\u030c": _caron,
    "\u0327": _cedilla,
}
