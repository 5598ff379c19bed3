"""The sea towards the sun: waves in perspective, a path of light, islands, sometimes a sail."""

import numpy as np
from PIL import Image, ImageDraw

from services.generator.providers.procedural import noise, paint, scenery
from services.generator.providers.procedural.colour import mix, ramp, shift
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Frame, Stage

TILE = 512


def compose(stage: Stage) -> Frame:
    """A sky that drifts over a sea that runs."""
    rng = stage.rng("sea")
    palette = stage.palette
    horizon = rng.uniform(0.46, 0.56)
    rows = round(horizon * stage.height)
    high = 0.16 if palette.dark else 0.065
    sun = (rng.choice([rng.uniform(0.3, 0.42), rng.uniform(0.55, 0.7)]), horizon - rng.uniform(0.02, high))
    sky = _sky(stage, sun, rows)
    clouds = scenery.Drift(stage, "clouds", rows, beta=2.3, stretch=4.5, low=1.0, speed=0.012)
    lower = paint.smoothstep(0.0, 0.75 * horizon, stage.grid()[1][:rows]) * paint.smoothstep(
        horizon, horizon * 0.8, stage.grid()[1][:rows]
    )
    lit = scenery.halo(stage, *sun, 0.6, 1.0, rows)
    warm, cool = scenery.lit(mix(palette.light, palette.sky[-2], 0.4), 0.15), mix(palette.sky[1], palette.far, 0.35)
    islands = _islands(stage, horizon)[:rows]
    land = mix(palette.far, palette.sky[-2], 0.25)
    sea = _Sea(stage, horizon, rows, sun)
    boat = _boat(stage, horizon, rng.uniform(0.15, 0.85)) if _wants_boat(stage) else None

    def frame(moment: float) -> Floats:
        picture = np.empty((3, stage.height, stage.width), np.float32)
        picture[:, :rows] = sky
        above = picture[:, :rows]
        cover = paint.smoothstep(0.1, 2.3, clouds(moment)) * lower * np.float32(0.85)
        paint.blend(above, cool, cover * (1 - lit) * np.float32(0.7))
        paint.blend(above, warm, cover * lit)
        paint.blend(above, land, islands)
        sea.run(picture, moment)
        if boat is not None:
            paint.blend(picture, shift(palette.near, light=0.02), boat)
        return picture

    return frame


def _wants_boat(stage: Stage) -> bool:
    named = stage.has("boat", "bateau", "sail", "voile", "voilier", "ship", "navire", "sailing", "sailboat", "peche")
    return named or stage.rng("boat").random() < 0.4


def _sky(stage: Stage, sun: tuple[float, float], rows: int) -> Floats:
    palette = stage.palette
    canvas = paint.fade(stage, palette.sky, to=rows / stage.height + 0.02)[:, :rows].copy()
    if palette.dark and palette.name in {"night", "aurora", "noir", "neon"}:
        canvas += scenery.Stars(stage, rows, 0.8)()
    paint.glow(
        canvas, palette.light, scenery.halo(stage, *sun, 0.5, 1.5, rows) * np.float32(0.3 if palette.dark else 0.6)
    )
    paint.glow(canvas, palette.light, scenery.halo(stage, *sun, 0.12, 1.2, rows) * np.float32(0.4))
    paint.blend(canvas, scenery.lit(palette.light, 0.75), scenery.disc(stage, *sun, 0.068, rows))
    return canvas


def _islands(stage: Stage, horizon: float) -> Floats:
    """Low land far away at one or both sides."""
    rng = stage.rng("islands")
    x = np.linspace(0, 1, stage.width, dtype=np.float32)
    side = x if rng.random() < 0.5 else 1 - x
    reach = rng.uniform(0.3, 0.55)
    shape = noise.unit(noise.line(rng, stage.width, 3.5 * stage.landscape, 6, 0.45), 1.1) + 0.25
    height = paint.smoothstep(reach, 0.0, side) * shape * np.float32(rng.uniform(0.05, 0.11))
    return scenery.below(stage, np.where(height > 0.0015, horizon - height, 1.1).astype(np.float32))


class _Sea:
    """Water from the horizon down: two fields of waves in perspective, sky above mirrored, sun glittering."""

    def __init__(self, stage: Stage, horizon: float, rows: int, sun: tuple[float, float]) -> None:
        rng = stage.rng("waves")
        self._stage, self._rows = stage, rows
        depth = stage.height - rows
        down = (np.arange(depth, dtype=np.float32)[:, None] + 0.7) / stage.height
        # Distance grows towards the horizon; waves are sampled on the plane, in units of the shorter side.
        self._far = (np.float32(0.16) / (down + 0.012)).astype(np.float32)
        x = (stage.grid()[0] - 0.5) * np.float32(stage.width / stage.side)
        self._waves = [noise.clouds(rng, TILE, TILE, 2.7, 7.0, 0.42) for _ in range(2)]
        self._sampler = noise.Sampler((TILE, TILE), x * self._far * 420, self._far * 900)
        # Waves too small to see near the horizon would only shimmer.
        self._size = np.clip(down / 0.10, 0.12, 1.0) ** np.float32(0.8)
        self._colour = self._water(down, horizon)
        wide = (x - np.float32((sun[0] - 0.5) * stage.width / stage.side)) / (0.05 + down * np.float32(0.55))
        self._path = np.exp(-wide * wide) * (np.float32(1.0) - down * np.float32(0.5))
        self._light = scenery.lit(stage.palette.light, 0.3)

    def _water(self, down: Floats, horizon: float) -> Floats:
        palette = self._stage.palette
        near = np.clip(down / (1 - horizon), 0, 1)
        deep = mix(shift(palette.near, light=0.07, chroma=1.3), palette.sky[0], 0.45)
        shades = [mix(palette.sky[-1], palette.sky[-2], 0.4), mix(palette.sky[-2], palette.sky[1], 0.5), deep]
        column = paint.lookup(
            ramp([shades[0], shades[1], shades[2], shift(deep, light=-0.05)], 512, [0, 0.25, 0.7, 1]), near
        )
        return np.ascontiguousarray(column)

    def run(self, picture: Floats, moment: float) -> None:
        """Fill the lower part of the picture."""
        slope = self._sampler(self._tile(moment)) * self._size
        water = picture[:, self._rows :]
        water[:] = self._colour
        paint.multiply(water, 1.0 + np.clip(slope, -1.6, 1.6) * np.float32(0.13))
        sky = mix(self._stage.palette.sky[-1], self._stage.palette.light, 0.3)
        paint.glow(water, sky, paint.smoothstep(0.6, 2.4, slope) * np.float32(0.2))
        glitter = paint.smoothstep(0.1, 1.5, slope + self._path * np.float32(1.3) - np.float32(0.6)) * self._path
        paint.blend(water, self._light, glitter)

    def _tile(self, moment: float) -> Floats:
        """The waves at a moment: two tiles pass at two speeds, whole tiles in a film, so that it closes."""
        rounds = max(1, round(self._stage.seconds / 9)) if self._stage.moving else 0
        push = TILE * rounds * moment
        return noise.rolled(self._waves[0], push, 0) + noise.rolled(self._waves[1], 2 * push, 0)


def _boat(stage: Stage, horizon: float, x: float) -> Floats:
    """A small sail on the water."""
    scale = 4
    size = round(0.17 * stage.side)
    image = Image.new("L", (size * scale, size * scale))
    draw = ImageDraw.Draw(image)
    w = size * scale / 100

    def points(*pairs: tuple[float, float]) -> list[tuple[float, float]]:
        return [(a * w, b * w) for a, b in pairs]

    draw.polygon(points((50, 8), (50, 74), (18, 74), (28, 52), (40, 28)), fill=255)
    draw.polygon(points((53, 16), (53, 74), (76, 74), (68, 50)), fill=235)
    draw.polygon(points((14, 79), (84, 78), (76, 90), (24, 90)), fill=255)
    draw.rectangle([50 * w, 6 * w, 52 * w, 80 * w], fill=255)
    sail = np.asarray(image.reduce(scale), np.float32) / 255
    mask = np.zeros((stage.height, stage.width), np.float32)
    top = round((horizon + 0.035) * stage.height) - round(size * 0.88)
    left = min(max(0, round(x * stage.width - size / 2)), stage.width - size)
    rows = min(size, stage.height - top)
    mask[top : top + rows, left : left + size] = sail[:rows]
    mirror = sail[: round(size * 0.9)][::-1][::2]
    foot = top + round(size * 0.9)
    fading = np.linspace(0.45, 0.05, len(mirror), dtype=np.float32)[:, None]
    end = min(foot + len(mirror), stage.height)
    mask[foot:end, left : left + size] = np.maximum(mask[foot:end, left : left + size], (mirror * fading)[: end - foot])
    return mask
