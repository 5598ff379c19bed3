"""A clear night: the Milky Way, thousands of stars, a shooting star, a lone tree on a hill."""

import numpy as np
from PIL import Image, ImageDraw

from services.generator.providers.procedural import noise, paint, scenery
from services.generator.providers.procedural.colour import mix, shift
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Frame, Rng, Stage


def compose(stage: Stage) -> Frame:
    """The sky shimmers, a star falls, the land stands still."""
    rng = stage.rng("night")
    palette = stage.palette
    canvas = paint.fade(stage, palette.sky, to=0.95)
    _milky_way(stage, canvas)
    stars = scenery.Stars(stage, stage.height, 2.6)
    hill = 0.86 - 0.1 * noise.line(rng, stage.width, 1.1 * stage.landscape, 6, 0.34)
    back = hill - 0.05 - 0.05 * noise.unit(noise.line(rng, stage.width, 2.2 * stage.landscape, 6, 0.42), 1.0)
    behind, land = scenery.below(stage, back), scenery.below(stage, hill)
    place = rng.choice([rng.uniform(0.18, 0.34), rng.uniform(0.66, 0.82)])
    land = np.maximum(land, _tree(stage, rng, place, float(hill[int(place * stage.width)])))
    far = mix(palette.far, palette.near, 0.45)
    falling = _Falling(stage)

    def frame(moment: float) -> Floats:
        picture = canvas.copy()
        light = stars(moment)
        picture += light
        falling.draw(picture, moment)
        paint.blend(picture, far, behind)
        paint.blend(picture, shift(palette.near, light=-0.01), land)
        return picture

    return frame


def _milky_way(stage: Stage, canvas: Floats) -> None:
    """A band of light across the sky with dark lanes in it."""
    rng = stage.rng("milky way")
    x, y = stage.square()
    tilt = rng.choice([-1, 1]) * rng.uniform(0.5, 1.0)
    cloud = noise.resize(noise.clouds(rng, 256, 256, 2.2, 1.0), stage.width, stage.height)
    fine = noise.resize(noise.clouds(rng, 256, 256, 1.7, 3.0), stage.width, stage.height)
    across = (x * np.float32(np.sin(tilt)) + (y + 0.1) * np.float32(np.cos(tilt))) + cloud * np.float32(0.035)
    along = x * np.float32(np.cos(tilt)) - y * np.float32(np.sin(tilt))
    band = np.exp(-((across / 0.17) ** 2)) * (0.55 + 0.45 * np.exp(-((along / 0.45) ** 2)))
    lane = np.exp(-(((across + 0.012 * fine) / 0.035) ** 2)) * paint.smoothstep(-0.6, 1.0, cloud + 0.4 * fine)
    light = band * (0.62 + 0.2 * cloud + 0.14 * fine) * (1 - np.float32(0.72) * lane)
    light = np.clip(light, 0, 1)
    palette = stage.palette
    paint.glow(canvas, mix(palette.accents[2], (0.75, 0.8, 1.0), 0.5), light * np.float32(0.75))
    paint.glow(canvas, mix(palette.accents[3], (1.0, 0.8, 0.7), 0.5), light**2 * np.float32(0.45))
    paint.glow(
        canvas,
        palette.sky[-1],
        paint.smoothstep(0.45, 0.95, stage.grid()[1]) * np.full((1, stage.width), 0.25, np.float32),
    )


class _Falling:
    """One shooting star; in a film it crosses once."""

    def __init__(self, stage: Stage) -> None:
        rng = stage.rng("falling")
        self._stage = stage
        self._start = np.array([rng.uniform(0.25, 0.75), rng.uniform(0.1, 0.25)])
        self._way = np.array([rng.choice([-1, 1]) * rng.uniform(0.22, 0.32) / stage.landscape, rng.uniform(0.1, 0.18)])

    def draw(self, picture: Floats, moment: float) -> None:
        stage = self._stage
        part = moment * 4 - 1.2 if stage.moving else 0.75
        if not 0 < part < 1.3:
            return
        head = self._start + self._way * min(part, 1.0)
        tail = self._start + self._way * max(part - 0.45, 0.0)
        strength = np.float32(min(1.0, (1.3 - part) * 3))
        size = np.array([stage.width, stage.height])
        for step in np.linspace(0, 1, max(8, stage.side // 4)):
            x, y = (tail + (head - tail) * step) * size
            ix, iy = int(x), int(y)
            if 1 <= ix < stage.width - 2 and 1 <= iy < stage.height - 2:
                fx, fy = x - ix, y - iy
                weight = np.array([[(1 - fx) * (1 - fy), fx * (1 - fy)], [(1 - fx) * fy, fx * fy]], np.float32)
                picture[:, iy : iy + 2, ix : ix + 2] += weight * strength * np.float32(step**1.5)


def _tree(stage: Stage, rng: Rng, place: float, foot: float) -> Floats:
    """A leafless-to-leafy tree that forks again and again."""
    scale = 2
    image = Image.new("L", (stage.width * scale, stage.height * scale))
    draw = ImageDraw.Draw(image)

    def grow(x: float, y: float, angle: float, length: float, width: float) -> None:
        end = (x + np.sin(angle) * length, y - np.cos(angle) * length)
        draw.line([x, y, *end], fill=255, width=max(1, round(width)))
        draw.ellipse([end[0] - width / 2, end[1] - width / 2, end[0] + width / 2, end[1] + width / 2], fill=255)
        if length < 0.006 * stage.side * scale:
            leaf = rng.uniform(0.002, 0.0055) * stage.side * scale
            draw.ellipse([end[0] - leaf, end[1] - leaf * 0.8, end[0] + leaf, end[1] + leaf * 0.8], fill=255)
            return
        for way in (-1, 1):
            bend = way * rng.uniform(0.2, 0.62)
            grow(*end, angle * 0.9 + bend, length * rng.uniform(0.66, 0.82), width * 0.7)

    size = 0.075 * stage.side * scale
    grow(place * image.width, (foot + 0.012) * image.height, rng.uniform(-0.1, 0.1), size, size * 0.16)
    return np.asarray(image.reduce(scale), np.float32) / 255
