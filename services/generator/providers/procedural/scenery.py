"""What several scenes share: drifting noise, light in the sky, stars, trees."""

import numpy as np
from PIL import Image, ImageDraw

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.colour import Rgb
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Rng, Stage


class Drift:
    """Clouds (mean 0, deviation 1) that move along x and close into a loop: two passes cross-fade."""

    def __init__(
        self,
        stage: Stage,
        label: str,
        height: int,
        *,
        beta: float = 2.2,
        low: float = 1.0,
        stretch: float = 1.0,
        speed: float = 0.04,
    ) -> None:
        tile = noise.clouds(stage.rng(label), 256, 512, beta, low, stretch)
        self._width = stage.width
        period = max(2 * height, stage.width) if stage.moving else 2 * height
        scale = max(period / 512, 1e-6)
        rows = max(8, min(256, round(256 * height / max(256 * scale, 1))))
        field = noise.resize(tile[:rows], period, height)
        repeats = -(-(2 * stage.width) // period) + 1
        self._field = np.concatenate([field] * repeats, axis=1)
        self._period = period
        # Speed is in widths a second.
        self._way = speed * stage.seconds * stage.width

    def __call__(self, moment: float) -> Floats:
        one = self._shifted(moment * self._way)
        if moment <= 0.0:
            return one
        other = self._shifted((moment - 1.0) * self._way)
        scale = 1.0 / np.sqrt((1 - moment) ** 2 + moment**2)
        both: Floats = one * np.float32((1 - moment) * scale)
        both += other * np.float32(moment * scale)
        return both

    def _shifted(self, pixels: float) -> Floats:
        pixels %= self._period
        start = int(pixels)
        share = np.float32(pixels - start)
        left = self._field[:, start : start + self._width]
        if share < 0.02:
            return left
        moved: Floats = left + (self._field[:, start + 1 : start + 1 + self._width] - left) * share
        return moved


def halo(stage: Stage, x: float, y: float, radius: float, power: float = 2.0, rows: int | None = None) -> Floats:
    """A soft light around a point: 1 at the middle, falling off over `radius` (in shorter sides)."""
    gx, gy = stage.grid()
    gy = gy[:rows]
    dx = (gx - np.float32(x)) * np.float32(stage.width / stage.side / radius)
    dy = (gy - np.float32(y)) * np.float32(stage.height / stage.side / radius)
    light: Floats = (1.0 + dx * dx + dy * dy) ** np.float32(-power)
    return light


def disc(stage: Stage, x: float, y: float, radius: float, rows: int | None = None) -> Floats:
    """A clean disc; `radius` in shorter sides."""
    gx, gy = stage.grid()
    gy = gy[:rows]
    dx = (gx - np.float32(x)) * np.float32(stage.width / stage.side)
    dy = (gy - np.float32(y)) * np.float32(stage.height / stage.side)
    return paint.cover(np.sqrt(dx * dx + dy * dy) - np.float32(radius), 1.3 / stage.side)


class Stars:
    """Stars of many sizes, some of which twinkle."""

    def __init__(self, stage: Stage, rows: int, amount: float = 1.0, label: str = "stars") -> None:
        rng = stage.rng(label)
        # As many to a square of one shorter side, whatever the size.
        count = int(650 * amount * stage.landscape * max(1.0, 1 / stage.landscape) ** 2)
        self._stage, self._rows = stage, rows
        self._x = rng.random(count) * stage.width
        self._y = rng.random(count) * stage.height
        self._size = (rng.pareto(2.2, count) * 0.28 + 0.3).clip(0, 2.4) * (stage.side / 1024) ** 0.5
        self._phase = rng.random(count) * 2 * np.pi
        self._pace = rng.integers(1, 4, count)
        self._hue = rng.choice(3, count, p=[0.6, 0.25, 0.15])

    def __call__(self, moment: float = 0.0) -> Floats:
        """The light of the stars, planar, over the first rows."""
        light = np.zeros((3, self._rows + 6, self._stage.width + 6), np.float32)
        strength = self._size * (0.8 + 0.2 * np.sin(self._phase + 2 * np.pi * self._pace * moment))
        tints = np.array([[1, 0.98, 0.95], [0.75, 0.86, 1.0], [1.0, 0.82, 0.66]], np.float32)[self._hue]
        for dx in range(-2, 3):
            for dy in range(-2, 3):
                ix, iy = np.floor(self._x).astype(int) + dx, np.floor(self._y).astype(int) + dy
                far = (ix + 0.5 - self._x) ** 2 + (iy + 0.5 - self._y) ** 2
                spread = np.exp(-far / (0.25 + 0.5 * self._size**1.5)) * strength
                kept = (iy < self._rows + 3) & (iy >= -3)
                for channel in range(3):
                    values = (spread * tints[:, channel])[kept].astype(np.float32)
                    np.add.at(light[channel], (iy[kept] + 3, ix[kept] + 3), values)
        return np.clip(light[:, 3:-3, 3:-3], 0.0, 1.0)


def pine(draw: ImageDraw.ImageDraw, rng: Rng, x: float, foot: float, height: float) -> None:
    """One conifer as a silhouette of drooping tiers."""
    tiers = int(rng.integers(7, 11))
    width = height * rng.uniform(0.17, 0.25)
    left, right = [], []
    for tier in range(tiers):
        y = foot - height * (1 - (tier + 0.2) / tiers)
        half = width * ((tier + 1) / tiers) ** 1.15
        reach_left, reach_right = half * rng.uniform(0.75, 1.1), half * rng.uniform(0.75, 1.1)
        droop = height * 0.055
        left += [(x - half * 0.32, y), (x - reach_left, y + droop * rng.uniform(0.8, 1.5))]
        right += [(x + half * 0.32, y), (x + reach_right, y + droop * rng.uniform(0.8, 1.5))]
    draw.polygon([(x, foot - height * 1.04), *right, (x, foot), *left[::-1]], fill=255)
    trunk = height * 0.018
    draw.rectangle([x - trunk, foot - height * 0.1, x + trunk, foot + height * 0.06], fill=255)


def treeline(stage: Stage, label: str, ground: Floats, height: float, density: float) -> Floats:
    """Conifers standing on a ground line (fractions of the height, one a column), as a mask of the whole stage."""
    rng = stage.rng(label)
    scale = 2
    image = Image.new("L", (stage.width * scale, stage.height * scale))
    draw = ImageDraw.Draw(image)
    count = int(density * stage.width / stage.side)
    crowd = noise.unit(noise.line(rng, 256, 5.0, 3), 0.9)
    for _ in range(count):
        x = rng.uniform(-0.02, 1.02)
        if rng.random() > 0.25 + 0.9 * crowd[int(np.clip(x, 0, 0.999) * 256)]:
            continue
        foot = float(ground[int(np.clip(x, 0, 0.999) * len(ground))]) * stage.height
        tall = height * stage.side * rng.uniform(0.45, 1.0) * (0.55 + 0.6 * crowd[int(np.clip(x, 0, 0.999) * 256)])
        pine(draw, rng, x * image.width, (foot + tall * 0.03) * scale, tall * scale)
    return np.asarray(image.reduce(scale), dtype=np.float32) * np.float32(1 / 255)


def below(stage: Stage, ground: Floats) -> Floats:
    """The mask of everything below a line (fractions of the height, one a column)."""
    rows = np.arange(stage.height, dtype=np.float32)[:, None] + 0.5
    return np.clip(rows - ground[None] * np.float32(stage.height) + 0.5, 0.0, 1.0)


class Mirror:
    """Calm water below a shore: the picture above upside down, pulled apart by ripples and darkened."""

    def __init__(self, stage: Stage, rows: int, squeeze: float = 2.0, dim: float = 0.82) -> None:
        self._stage, self._rows = stage, rows
        depth = stage.height - rows
        near = (np.arange(depth, dtype=np.float32)[:, None] + 1) / depth
        rng = stage.rng("ripples")
        self._noise = [noise.resize(noise.clouds(rng, 256, 128, 2.0, 10.0, 0.12), stage.width, depth) for _ in range(2)]
        self._reach = near * np.float32(stage.side * 0.016) + 1
        self._mirror = np.clip(rows - 1 - np.arange(depth) * min(squeeze, rows / depth), 0, rows - 1)[:, None]
        self._dim = (dim - 0.35 * near).astype(np.float32)

    def fill(self, picture: Floats, moment: float) -> None:
        """Draw the water into the rows below the shore."""
        angle = self._stage.turns(moment, 5.0)
        ripple = self._noise[0] * np.float32(np.cos(angle)) + self._noise[1] * np.float32(np.sin(angle))
        ripple *= self._reach
        source = np.clip(self._mirror + ripple, 0, self._rows - 1).astype(np.int32) * self._stage.width
        source += np.arange(self._stage.width, dtype=np.int32)[None]
        for channel in range(3):
            above = picture[channel, : self._rows].ravel()
            picture[channel, self._rows :] = np.take(above, source) * self._dim + np.float32(0.012)


def lit(colour: Rgb, share: float) -> Rgb:
    """A colour towards white."""
    return (
        colour[0] + (1 - colour[0]) * share,
        colour[1] + (1 - colour[1]) * share,
        colour[2] + (1 - colour[2]) * share,
    )
