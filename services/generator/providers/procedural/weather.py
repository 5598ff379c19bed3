"""Snow and rain over scenes under the open sky, when the prompt speaks of them."""

from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.colour import mix
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Frame, Stage

OUTDOORS: Final = frozenset({"mountains", "city", "forest", "sea", "flowers", "village", "animals"})
SNOW: Final = ("snow", "neige", "snowy", "snowing", "enneige", "flocon", "snowflake", "blizzard")
RAIN: Final = ("rain", "pluie", "rainy", "storm", "orage", "tempete", "averse", "pluvieux", "monsoon")


def over(scene: str, stage: Stage, frame: Frame) -> Frame:
    """The scene with its weather, if it has any."""
    if scene not in OUTDOORS:
        return frame
    if stage.has(*SNOW):
        layers = [_Falling(stage, depth, _flakes(stage, depth), 0.05 + 0.05 * depth) for depth in range(3)]
        return _fallen(stage, frame, layers, 0.92)
    if stage.has(*RAIN):
        layers = [_Falling(stage, depth, _streaks(stage, depth), 0.5 + 0.25 * depth) for depth in range(2)]
        return _fallen(stage, frame, layers, 0.5)
    return frame


def _fallen(stage: Stage, frame: Frame, layers: list["_Falling"], strength: float) -> Frame:
    tint = mix(stage.palette.sky[-1], (1.0, 1.0, 1.0), 0.7)

    def with_weather(moment: float) -> Floats:
        picture = frame(moment)
        for layer in layers:
            paint.blend(picture, tint, layer(moment) * np.float32(strength))
        return picture

    return with_weather


class _Falling:
    """A sheet of flakes or drops as large as the picture, falling whole heights in a film, so that it loops."""

    def __init__(self, stage: Stage, depth: int, sheet: Floats, speed: float) -> None:
        self._stage, self._sheet = stage, sheet
        self._rounds = max(1, round(speed * stage.seconds * (1 + depth))) if stage.moving else 0
        self._phase = 2.1 * depth

    def __call__(self, moment: float) -> Floats:
        down = round(self._rounds * moment * self._stage.height)
        sway = round(0.012 * self._stage.side * np.sin(self._stage.turns(moment, 4.0) + self._phase))
        return np.roll(self._sheet, (down, sway), axis=(0, 1))


def _flakes(stage: Stage, depth: int) -> Floats:
    """Soft dots: many small ones far away, a few large ones near by."""
    rng = stage.rng(f"flakes {depth}")
    image = Image.new("L", (stage.width * 2, stage.height * 2))
    draw = ImageDraw.Draw(image)
    for _ in range(int((420, 190, 46)[depth] * max(stage.landscape, 1 / stage.landscape))):
        x, y = rng.random() * image.width, rng.random() * image.height
        radius = rng.uniform(0.6, 1.3) * (1.3, 2.4, 5.2)[depth] * stage.side / 1024 * 2
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=int(rng.uniform(130, 255)))
    sheet = np.asarray(image.reduce(2), np.float32) / 255
    return noise.blur(sheet, (0.8, 1.2, 3.0)[depth] * stage.side / 1024)


def _streaks(stage: Stage, depth: int) -> Floats:
    """Slanted drops."""
    rng = stage.rng(f"streaks {depth}")
    image = Image.new("L", (stage.width * 2, stage.height * 2))
    draw = ImageDraw.Draw(image)
    length = (0.03, 0.055)[depth] * stage.side * 2
    for _ in range(int((420, 170)[depth] * max(stage.landscape, 1 / stage.landscape))):
        x, y = rng.random() * image.width, rng.random() * image.height
        width = max(1, round((0.9, 1.7)[depth] * stage.side / 1024 * 2))
        draw.line([x, y, x - length * 0.16, y + length], fill=int(rng.uniform(70, 200)), width=width)
    return np.asarray(image.reduce(2), np.float32) / 255
