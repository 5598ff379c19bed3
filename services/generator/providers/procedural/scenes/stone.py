"""Polished stone: agate bands around a crystal heart, or marble with gilded veins."""

import numpy as np

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.colour import Rgb, mix, ramp, shift
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Frame, Stage


def compose(stage: Stage) -> Frame:
    """A field of distances, banded by a ramp; the bands breathe outwards."""
    rng = stage.rng("stone")
    banded = stage.has("agate", "geode", "mineral", "gem", "gemme", "quartz", "opal", "opale", "crystal", "cristal")
    marble = stage.has("marble", "marbre", "granite") or (not banded and rng.random() < 0.4)
    field, slope = _marble(stage) if marble else _agate(stage)
    colours = _bands(stage, marble)
    fine = noise.resize(noise.clouds(rng, 512, 512, 1.3, 8.0), stage.width, stage.height)
    gold = _veins(stage) if marble else np.zeros_like(field)
    shade = 1.0 + np.clip(slope, -1.5, 1.5) * np.float32(0.022) + fine * np.float32(0.013)
    gilt = _gold(stage)
    count = np.float32(colours.shape[1])

    def frame(moment: float) -> Floats:
        swell = 0.05 * np.sin(stage.turns(moment, 6.0))
        place = np.mod(field + np.float32(swell), 1.0) * count
        picture = paint.lookup(colours, place / count)
        picture *= shade
        gleam = 0.8 + 0.2 * np.float32(np.cos(stage.turns(moment, 4.0)))
        paint.blend(picture, gilt, gold * gleam)
        return picture

    return frame


def _gold(stage: Stage) -> Rgb:
    return mix(stage.palette.accents[1], (0.86, 0.68, 0.36), 0.7)


def _warped(stage: Stage, label: str, beta: float, low: float, reach: float) -> tuple[Floats, Floats]:
    """Square coordinates pulled about by two fields, at half resolution."""
    rng = stage.rng(label)
    width, height = -(-stage.width // 2), -(-stage.height // 2)
    x = ((np.arange(width, dtype=np.float32) + 0.5) / width - 0.5)[None] * np.float32(stage.width / stage.side)
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5)[:, None] * np.float32(stage.height / stage.side)
    pull = [noise.resize(noise.clouds(rng, 256, 256, beta, low), width, height) for _ in range(2)]
    return x + pull[0] * np.float32(reach), y + pull[1] * np.float32(reach)


def _agate(stage: Stage) -> tuple[Floats, Floats]:
    """Distance from a wandering heart, in uneven bands."""
    rng = stage.rng("agate")
    heart = rng.uniform(-0.28, 0.28, 2)
    x, y = _warped(stage, "agate pull", 3.3, 1.0, 0.12)
    far = np.sqrt((x - heart[0]) ** 2 + ((y - heart[1]) * 1.25) ** 2)
    detail = noise.resize(noise.clouds(rng, 256, 256, 3.0, 3.0), x.shape[1], y.shape[0])
    field = far * np.float32(1.2) + detail * np.float32(0.012)
    return _full(stage, field)


def _marble(stage: Stage) -> tuple[Floats, Floats]:
    """Folded layers: noise warped by noise, twice."""
    rng = stage.rng("marble")
    x, y = _warped(stage, "marble pull", 3.8, 1.0, 0.16)
    tile = noise.clouds(rng, 512, 512, 3.7, 1.0)
    first = noise.sample_smooth(tile, x * 300, y * 300)
    second = noise.sample_smooth(tile, x * 300 + first * 46 + 90, y * 300 + first * 46)
    field = np.float32(0.5) + second * np.float32(0.17) + first * np.float32(0.04)
    return _full(stage, field)


def _full(stage: Stage, field: Floats) -> tuple[Floats, Floats]:
    """The field at full resolution, and how it leans towards the light."""
    full = noise.resize(np.ascontiguousarray(field, dtype=np.float32), stage.width, stage.height)
    slope = np.zeros_like(full)
    slope[1:, 1:] = full[1:, 1:] - full[:-1, :-1]
    return full, slope * np.float32(stage.side / 1.5)


def _bands(stage: Stage, marble: bool) -> Floats:
    """One period of colour: broad zones of the palette, cut by thin pale lines."""
    rng = stage.rng("bands")
    palette = stage.palette
    base = [
        palette.accents[4],
        palette.accents[3],
        palette.accents[2],
        palette.paper,
        palette.accents[1],
        palette.accents[0],
    ]
    if marble:
        base = [
            palette.paper,
            mix(palette.paper, palette.accents[3], 0.25),
            palette.accents[3],
            palette.ink,
            palette.accents[4],
            mix(palette.paper, palette.accents[1], 0.4),
        ]
    else:
        turn = int(rng.integers(0, 6))
        base = base[turn:] + base[:turn]
    zones = ramp([*base, base[0]], 4096)
    lines = noise.line(rng, 4096, 60.0 if not marble else 12.0, 4, 0.7)
    ends = np.minimum(np.linspace(0, 1, 4096), np.linspace(1, 0, 4096)) * 30
    lines *= np.clip(ends, 0, 1).astype(np.float32)
    pale = np.array(shift(palette.paper, light=0.03), np.float32)[:, None]
    dark = np.array(mix(palette.ink, palette.accents[4], 0.4), np.float32)[:, None]
    bright, deep = paint.smoothstep(0.35, 0.9, lines[None]), paint.smoothstep(-0.35, -0.95, lines[None])
    zones += (pale - zones) * bright * np.float32(0.75)
    zones += (dark - zones) * deep * np.float32(0.55 if not marble else 0.35)
    return np.ascontiguousarray(zones)


def _veins(stage: Stage) -> Floats:
    """Thin gilded cracks where a rough field crosses zero."""
    rng = stage.rng("veins")
    field = noise.resize(noise.clouds(rng, 512, 512, 2.3, 1.0), stage.width, stage.height)
    where = noise.resize(noise.clouds(rng, 128, 128, 2.6, 1.0), stage.width, stage.height)
    steep = np.abs(np.gradient(field, axis=0)) + np.abs(np.gradient(field, axis=1)) + np.float32(1e-4)
    width = paint.smoothstep(0.2, 1.6, where) * np.float32(2.6 * stage.side / 1024)
    return np.clip(width - np.abs(field) / steep + 0.5, 0, 1).astype(np.float32)
