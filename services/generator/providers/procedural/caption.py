"""The caption: a line or three of type on a soft ground at the foot of the picture, in Pillow's own face."""

from typing import cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.colour import mix
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Stage

MAX_LINES = 3
MARGIN = 0.065
Font = ImageFont.FreeTypeFont


class Caption:
    """The caption of one picture: drawn once, laid over every frame."""

    def __init__(self, stage: Stage, text: str) -> None:
        self._type = _set_type(stage, text)
        ground = noise.blur(np.clip(self._type * 1.4, 0, 1), 0.035 * stage.side)
        foot = paint.smoothstep(0.58, 1.02, stage.grid()[1])
        self._shade = np.clip(ground * np.float32(0.5) + foot * np.float32(0.5), 0, 0.72)
        self._dark = mix(stage.palette.ink, (0.03, 0.03, 0.05), 0.6)
        self._light = mix(stage.palette.paper, (1.0, 1.0, 1.0), 0.6)

    def lay(self, canvas: Floats) -> None:
        """Darken the ground, then set the type."""
        paint.blend(canvas, self._dark, self._shade)
        paint.blend(canvas, self._light, self._type)


def _set_type(stage: Stage, text: str) -> Floats:
    """The mask of the type: as large as fits in the lines it needs, under a short rule."""
    scale = 2
    size = (stage.width * scale, stage.height * scale)
    image = Image.new("L", size)
    draw = ImageDraw.Draw(image)
    side = stage.side * scale
    left, room = MARGIN * side, size[0] - 2 * MARGIN * side
    words = _printable(text).split()
    font, lines = _fit(draw, words, side, room)
    if not lines:
        return np.zeros((stage.height, stage.width), np.float32)
    leading = font.size * 1.22
    top = size[1] - MARGIN * side - leading * len(lines)
    draw.rectangle([left, top - 0.03 * side, left + 0.075 * side, top - 0.03 * side + max(2, 0.0042 * side)], fill=255)
    for number, line in enumerate(lines):
        draw.text((left, top + number * leading), line, fill=255, font=font)
    return np.asarray(image.reduce(scale), np.float32) / 255


def _fit(draw: ImageDraw.ImageDraw, words: list[str], side: float, room: float) -> tuple[Font, list[str]]:
    """The largest size at which the words fit; what does not fit at the smallest is cut with an ellipsis."""
    font = _face(0.03 * side)
    for share in (0.082, 0.068, 0.056, 0.046, 0.038, 0.03):
        font = _face(share * side)
        lines = _broken(draw, words, font, room)
        if len(lines) <= (2 if share > 0.05 else MAX_LINES) and all(
            draw.textlength(line, font) <= room for line in lines
        ):
            return font, lines
    lines = [_cut(draw, line, font, room) for line in _broken(draw, words, font, room)]
    kept = lines[:MAX_LINES]
    if len(lines) > MAX_LINES:
        kept[-1] = _cut(draw, kept[-1] + " …", font, room)
    return font, kept


def _broken(draw: ImageDraw.ImageDraw, words: list[str], font: Font, room: float) -> list[str]:
    """The words in as many lines as they need."""
    lines: list[str] = []
    for word in words:
        if lines and draw.textlength(f"{lines[-1]} {word}", font) <= room:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


def _cut(draw: ImageDraw.ImageDraw, line: str, font: Font, room: float) -> str:
    if draw.textlength(line, font) <= room:
        return line
    while line and draw.textlength(line + "…", font) > room:
        line = line[:-1]
    return line.rstrip() + "…"


def _printable(text: str) -> str:
    """The characters the face can draw; it has the Latin ones."""
    font = _face(24)
    missing = bytes(font.getmask("\uffff"))
    known = {char for char in set(text[:400]) if char.isspace() or bytes(font.getmask(char)) != missing}
    return "".join(char if char in known else " " for char in text[:400])


def _face(size: float) -> Font:
    # Pillow's wheels carry FreeType, so the default face is a scalable one.
    return cast(Font, ImageFont.load_default(size=size))
