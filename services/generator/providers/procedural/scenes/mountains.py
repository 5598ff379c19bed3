"""Ranges one behind the other, sun in the haze, mist that drifts in the valleys."""

import numpy as np

from services.generator.providers.procedural import noise, paint, scenery
from services.generator.providers.procedural.colour import Rgb, lightness, mix, shift
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Frame, Stage

LAYERS = 6


def compose(stage: Stage) -> Frame:
    """Sky, ranges from far to near, and two veils that move over them."""
    rng = stage.rng("mountains")
    palette = stage.palette
    horizon = rng.uniform(0.5, 0.58)
    sun = (rng.uniform(0.25, 0.75), horizon - rng.uniform(0.06, 0.2))
    canvas = paint.fade(stage, palette.sky, to=horizon + 0.06)
    _sky_light(stage, canvas, sun)
    sky = np.ones((stage.height, stage.width), np.float32)
    veil = np.zeros_like(sky)
    for index in range(LAYERS):
        ridge = _ridge(stage, index, horizon)
        mask = scenery.below(stage, ridge)
        sky *= 1 - mask
        veil *= 1 - mask
        _lay_range(stage, canvas, index, ridge, mask, sun)
        if index < LAYERS - 1:
            veil += mask * _valley(stage, ridge, index)
    haze = _haze_colour(stage)
    clouds = scenery.Drift(stage, "clouds", stage.height, beta=2.4, stretch=3.4, low=2.0, speed=0.012)
    mist = scenery.Drift(stage, "mist", stage.height, beta=2.6, stretch=2.6, low=1.0, speed=0.03)
    fair = sky * paint.smoothstep(horizon + 0.05, horizon - 0.5, stage.grid()[1])
    cloud_colour = scenery.lit(mix(palette.light, palette.sky[-2], 0.35), 0.25)

    def frame(moment: float) -> Floats:
        picture = canvas.copy()
        paint.blend(picture, cloud_colour, paint.smoothstep(0.25, 2.4, clouds(moment)) * fair * np.float32(0.75))
        paint.blend(picture, haze, veil * paint.smoothstep(-2.4, 1.3, mist(moment)))
        return picture

    return frame


def _haze_colour(stage: Stage) -> Rgb:
    return mix(stage.palette.mist, stage.palette.sky[-2], 0.35)


def _sky_light(stage: Stage, canvas: Floats, sun: tuple[float, float]) -> None:
    palette = stage.palette
    if palette.dark and palette.name in {"night", "aurora", "noir"}:
        canvas += scenery.Stars(stage, stage.height, 0.8)() * np.float32(0.9)
    paint.glow(canvas, palette.light, scenery.halo(stage, *sun, 0.42, 1.6) * np.float32(0.55))
    paint.glow(canvas, palette.light, scenery.halo(stage, *sun, 0.1, 1.3) * np.float32(0.75))
    paint.blend(canvas, scenery.lit(palette.light, 0.7), scenery.disc(stage, *sun, 0.052))


def _ridge(stage: Stage, index: int, horizon: float) -> Floats:
    """The outline of a range: sharp peaks far away, rolling hills near by."""
    rng = stage.rng(f"ridge {index}")
    near = index / (LAYERS - 1)
    wide = max(stage.landscape, 0.8)
    rolling = noise.line(rng, stage.width, wide * (1.6 + 0.8 * near), 7, 0.48)
    peaks = 1.0 - 2.0 * np.abs(noise.line(rng, stage.width, wide * (2.6 - near), 3, 0.4))
    peaks += noise.line(rng, stage.width, wide * 16, 4, 0.5) * 0.13
    share = 0.75 * (1 - near) ** 1.3
    relief = peaks * share + rolling * (1 - share)
    base = horizon + 0.03 + (0.93 - horizon) * near**1.25
    height = (0.15 - 0.075 * near) * (1.2 if index == 1 else 1.0)
    ridge: Floats = (base - height * relief).astype(np.float32)
    return ridge


def _valley(stage: Stage, ridge: Floats, index: int) -> Floats:
    """Where mist lies in front of a range: more and more towards its foot."""
    depth = stage.grid()[1] - ridge[None]
    return paint.smoothstep(0.015, 0.14 + 0.03 * index, depth) * np.float32(0.95 - 0.05 * index)


def _lay_range(stage: Stage, canvas: Floats, index: int, ridge: Floats, mask: Floats, sun: tuple[float, float]) -> None:
    palette = stage.palette
    near = index / (LAYERS - 1)
    body = mix(palette.far, palette.near, near**0.8)
    body = mix(body, palette.sky[-2], 0.5 * (1 - near) ** 2)
    top = max(0, int((float(ridge.min()) - 0.01) * stage.height))
    shade, snow = _faces(stage, index, ridge, top, sun)
    mask = mask[top:]
    strength = 0.12 * (1 - near) + 0.03
    lit_side, dark_side = mix(shift(body, light=strength), palette.light, 0.25), shift(body, light=-strength * 0.9)
    paint.blend(canvas, body, mask, top)
    paint.blend(canvas, lit_side, mask * np.clip(shade, 0, 1), top)
    paint.blend(canvas, dark_side, mask * np.clip(-shade, 0, 1), top)
    if index <= 2 and palette.name not in {"desert", "ember", "neon"}:
        white = mix(scenery.lit(palette.light, 0.4), palette.sky[-1], 0.35)
        dim = mix(shift(white, light=-0.22), palette.sky[1], 0.3)
        amount = mask * snow * np.float32(0.85 - 0.25 * index)
        bright = paint.smoothstep(-0.25, 0.35, shade)
        if lightness(body) < lightness(white):
            paint.blend(canvas, dim, amount * (1 - bright), top)
            paint.blend(canvas, white, amount * bright, top)
    if index >= LAYERS - 2:
        trees = scenery.treeline(stage, f"trees {index}", ridge, 0.05 + 0.06 * (index == LAYERS - 1), 90)
        paint.blend(canvas, shift(body, light=-0.03), trees)


def _faces(stage: Stage, index: int, ridge: Floats, top: int, sun: tuple[float, float]) -> tuple[Floats, Floats]:
    """Light on the slopes (-1 to 1) and snow (0 to 1): crests that hang from the outline, lit from the sun's side."""
    crests = _crests(stage, index)
    rows = np.arange(top, stage.height, dtype=np.float32)[:, None] - (ridge * stage.height)[None]
    columns = np.arange(stage.width, dtype=np.float32)[None]
    side = np.float32(1 if sun[0] > 0.5 else -1)
    relief = noise.sample(crests, columns + rows * np.float32(0.25), rows * np.float32(0.8))
    depth = rows * np.float32(1 / stage.height)
    slope = np.gradient(_smoothed(ridge, stage.width // 90)) * stage.width
    facing = np.tanh(slope * 0.9).astype(np.float32)[None] * paint.smoothstep(0.12, 0.0, depth)
    calm = np.float32((0.8, 0.62, 0.34, 0.18, 0.1, 0.08)[index])
    shade = np.clip(relief * calm + facing * np.float32(0.6), -1.0, 1.0) * side
    rough = noise.resize(noise.clouds(stage.rng(f"snow {index}"), 128, 256, 1.9, 4.0), stage.width, rows.shape[0])
    high = ridge - ridge.min()
    snow = paint.smoothstep(0.035, -0.02, depth - 0.085 + 0.7 * high[None] + rough * np.float32(0.022) - shade * 0.02)
    shade *= paint.smoothstep(0.5, 0.05, depth)
    return shade, snow


def _crests(stage: Stage, index: int) -> Floats:
    """A tile of crests lit from the left, mean 0, about as large as the shorter side."""
    field = noise.clouds(stage.rng(f"faces {index}"), 256, 256, 2.5, 2.0, 1.4)
    sharp = -np.abs(field) + 0.25 * noise.clouds(stage.rng(f"stones {index}"), 256, 256, 1.8, 10.0)
    relief = np.roll(sharp, -1, axis=1) - np.roll(sharp, 1, axis=1)
    relief /= 1.6 * relief.std()
    return noise.resize(np.clip(relief, -1.6, 1.6), stage.side, stage.side)


def _smoothed(values: Floats, reach: int) -> Floats:
    reach = max(3, reach)
    kernel = np.ones(reach, np.float32) / reach
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, kernel, "same")[reach:-reach].astype(np.float32)
