"""Wet hands: ink wash, watercolour, oil."""

import numpy as np

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.colour import mix
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.hands.plain import Hand, Levels, grain, luma, steepness
from services.generator.providers.procedural.stage import Stage


def ink(stage: Stage) -> Hand:
    """Washes of one ink on warm paper, a brush line along the edges, a trace of the colours."""
    unit = stage.side / 1024
    blotch = noise.resize(noise.clouds(stage.rng("blotch"), 256, 256, 1.6, 2.0), stage.width, stage.height)
    fibre = grain(stage, "fibre", 1.1)
    sheet = np.array([0.965, 0.945, 0.905], np.float32)[:, None, None] * (1.0 + np.float32(0.012) * fibre)
    black = np.array(mix(stage.palette.ink, (0.07, 0.07, 0.09), 0.6), np.float32)[:, None, None]
    levels = Levels(0.66)

    def apply(canvas: Floats, moment: float) -> Floats:
        light = levels(luma(canvas))
        tone = noise.blur(light, 2.0 * unit) + np.float32(0.035) * blotch
        wash = np.float32(0.10) * paint.smoothstep(0.86, 0.78, tone)
        for low, depth in ((0.62, 0.16), (0.44, 0.2), (0.27, 0.22), (0.13, 0.24)):
            wash += np.float32(depth) * paint.smoothstep(low + 0.05, low - 0.05, tone)
        rim = steepness(noise.blur(wash, 1.5 * unit)) * np.float32(1.6 / unit**0.2)
        line = np.clip(steepness(noise.blur(light, 1.2 * unit)) * np.float32(7.5) - 0.18, 0.0, 0.75)
        dark = np.clip(wash * (1.0 + np.float32(0.09) * fibre) + rim * 0.35 + line, 0.0, 0.97)
        out: Floats = sheet + (black - sheet) * dark
        out += (canvas - luma(canvas)) * np.float32(0.2) * (1.0 - dark)
        return out

    return apply


def watercolor(stage: Stage) -> Hand:
    """Colour that ran a little, pooled at its edges and dried unevenly on rough paper with a white margin."""
    unit = stage.side / 1024
    rng = stage.rng("water")
    wander = [noise.resize(noise.clouds(rng, 256, 256, 1.9, 5.0), stage.width, stage.height) for _ in range(2)]
    rows = np.arange(stage.height)[:, None] + wander[0] * np.float32(4.2 * unit)
    columns = np.arange(stage.width)[None] + wander[1] * np.float32(4.2 * unit)
    source = np.clip(rows, 0, stage.height - 1).astype(np.int32) * stage.width
    source += np.clip(columns, 0, stage.width - 1).astype(np.int32)
    bloom = noise.resize(noise.clouds(rng, 256, 256, 2.4, 2.0), stage.width, stage.height)
    tooth = grain(stage, "tooth", 1.0)
    density = 1.0 + np.float32(0.07) * np.tanh(bloom) + np.float32(0.04) * tooth
    margin = _margin(stage, unit)
    sheet = np.array([0.985, 0.977, 0.955], np.float32)[:, None, None] * (1.0 + np.float32(0.012) * tooth)

    def apply(canvas: Floats, moment: float) -> Floats:
        light = luma(canvas)
        soft = noise.blur(light, 7.0 * unit)
        pool = np.clip(np.abs(soft - light) * np.float32(1.5), 0.0, 0.3)
        pigment = np.empty_like(canvas)
        for channel in range(3):
            run = noise.blur(canvas[channel], 2.2 * unit)
            pigment[channel] = np.take(run.ravel(), source)
        # Pigment takes light away from the paper; more where it pooled, less where water lay.
        dried = np.clip((1.0 - np.clip(pigment, 0.0, 1.0) + np.take(pool.ravel(), source) * 0.8) * density, 0.0, 1.0)
        dried *= np.float32(0.9)
        dried *= margin
        out: Floats = sheet * (1.0 - dried)
        return out

    return apply


def _margin(stage: Stage, unit: float) -> Floats:
    """1 where colour may lie: the sheet but for a ragged edge."""
    ragged = noise.resize(noise.clouds(stage.rng("margin"), 256, 256, 2.6, 2.0), stage.width, stage.height)
    x, y = stage.grid()
    inside = np.minimum(np.minimum(x, 1 - x) * stage.width, np.minimum(y, 1 - y) * stage.height)
    return paint.smoothstep(25 * unit, 33 * unit, inside + ragged * np.float32(9 * unit))


def oil(stage: Stage) -> Hand:
    """Dabs of one colour each (Kuwahara's filter), with the relief of the brush."""
    unit = stage.side / 1024
    reach = max(2, round(5 * unit))
    bristle = noise.clouds(stage.rng("bristle"), 512, 512, 1.2, 6.0, 3.0)
    strokes = np.tile(bristle, (-(-stage.height // 512), -(-stage.width // 512)))[: stage.height, : stage.width]

    def apply(canvas: Floats, moment: float) -> Floats:
        flat = kuwahara(canvas, reach)
        light = noise.blur(luma(flat), unit) + strokes * np.float32(0.012)
        slope = np.zeros_like(light)
        slope[1:, 1:] = light[1:, 1:] - light[:-1, :-1]
        shade = 1.0 + np.clip(slope * np.float32(1.7), -0.16, 0.16)
        grey = luma(flat)
        out: Floats = (grey + (flat - grey) * np.float32(1.14)) * shade
        return out

    return apply


def kuwahara(canvas: Floats, reach: int) -> Floats:
    """Each point takes the mean of the squares that touch it, the calmest by far the most: edges stay, detail goes."""
    light = luma(canvas)
    mean, square = _box(light, reach), _box(light * light, reach)
    calm = (square - mean * mean + np.float32(2e-5)) ** np.float32(-3)
    means = [_box(plane, reach) * calm for plane in canvas]
    half = reach // 2 + 1
    total = np.zeros_like(light)
    out = np.zeros_like(canvas)
    for dy in (-half, half):
        for dx in (-half, half):
            total += _moved(calm, dy, dx)
            for channel in range(3):
                out[channel] += _moved(means[channel], dy, dx)
    out /= total
    return out


def _box(field: Floats, reach: int) -> Floats:
    """The mean over squares of 2 * (reach // 2) + 1 a side."""
    half = reach // 2
    size = 2 * half + 1
    padded = np.pad(field, half, mode="edge")
    rows = padded[: -2 * half or None].copy()
    for step in range(1, size):
        rows += padded[step : step + field.shape[0]]
    out = rows[:, : field.shape[1]].copy()
    for step in range(1, size):
        out += rows[:, step : step + field.shape[1]]
    out *= np.float32(1 / size**2)
    return out


def _moved(field: Floats, dy: int, dx: int) -> Floats:
    """The field seen from (dy, dx) away; the far edge comes round, a few pixels that nobody sees."""
    return np.roll(field, (-dy, -dx), axis=(0, 1))
