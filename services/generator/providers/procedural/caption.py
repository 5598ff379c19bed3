"""The caption: a line or three of type on a soft ground at the foot of the picture, in Pillow's own face."""

import numpy as np
from PIL import Image, ImageDraw

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.colour import mix
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.lettering import Font, face, width, writable, write
from services.generator.providers.procedural.stage import Stage

MAX_LINES = 3
MAX_LETTERS = 400
# Sizes to try, in shorter sides.
SIZES = (0.082, 0.068, 0.056, 0.046, 0.038, 0.03)
MARGIN = 0.065


class Caption:
    """The caption of one picture: drawn once, laid over every frame."""

    def __init__(self, stage: Stage, text: str) -> None:
        self._type = _set_type(stage, text)
        ground = noise.blur(np.clip(self._type * 1.4, 0, 1), 0.035 * stage.side)
        foot = paint.smoothstep(0.58, 1.02, stage.grid()[1])
        self._shade = np.clip(ground * np.float32(0.62) + foot * np.float32(0.5), 0, 0.78)
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
    words = writable(text[:MAX_LETTERS]).split()
    font, lines = _fit(words, side, room)
    if not lines:
        return np.zeros((stage.height, stage.width), np.float32)
    leading = font.size * 1.22
    top = size[1] - MARGIN * side - leading * len(lines)
    draw.rectangle([left, top - 0.03 * side, left + 0.075 * side, top - 0.03 * side + max(2, 0.0042 * side)], fill=255)
    for number, line in enumerate(lines):
        write(draw, (left, top + number * leading), line, font)
    return np.asarray(image.reduce(scale), np.float32) / 255


def _fit(words: list[str], side: float, room: float) -> tuple[Font, list[str]]:
    """The largest size at which the words fit; what does not fit at the smallest is cut with an ellipsis."""
    font = face(SIZES[-1] * side)
    for share in SIZES:
        font = face(share * side)
        lines = _broken(words, font, room)
        if len(lines) <= (2 if share > 0.05 else MAX_LINES) and all(width(line, font) <= room for line in lines):
            return font, lines
    lines = [_cut(line, font, room) for line in _broken(words, font, room)]
    kept = lines[:MAX_LINES]
    if len(lines) > MAX_LINES:
        kept[-1] = _cut(kept[-1] + " …", font, room)
    return font, kept


def _broken(words: list[str], font: Font, room: float) -> list[str]:
    """The words in as many lines as they need."""
    lines: list[str] = []
    for word in words:
        if lines and width(f"{lines[-1]} {word}", font) <= room:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


def _cut(line: str, font: Font, room: float) -> str:
    if width(line, font) <= room:
        return line
    while line and width(line + "…", font) > room:
        line = line[:-1]
    return line.rstrip() + "…"
