"""Dunes: crests that wind away, one face in light and one in shade, ripples, a caravan of heat."""

import numpy as np

from services.generator.providers.procedural import noise, paint, scenery
from services.generator.providers.procedural.colour import mix, ramp, shift
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Frame, Rng, Stage

LAYERS = 5


def compose(stage: Stage) -> Frame:
    """Sky and dunes stand; sand blows off the crests."""
    rng = stage.rng("dunes")
    palette = stage.palette
    horizon = rng.uniform(0.4, 0.48)
    sun = (rng.choice([rng.uniform(0.2, 0.38), rng.uniform(0.62, 0.8)]), horizon - rng.uniform(0.1, 0.2))
    canvas = paint.fade(stage, palette.sky, to=horizon + 0.03)
    if palette.name in {"night", "aurora", "noir"}:
        canvas += scenery.Stars(stage, stage.height, 1.4)()
    paint.glow(canvas, palette.light, scenery.halo(stage, *sun, 0.4, 1.4) * np.float32(0.6))
    paint.blend(canvas, scenery.lit(palette.light, 0.7), scenery.disc(stage, *sun, 0.06))
    dust = np.zeros((stage.height, stage.width), np.float32)
    side = 1.0 if sun[0] < 0.5 else -1.0
    for layer in range(LAYERS):
        crest = _crest(stage, layer, horizon)
        mask = scenery.below(stage, crest)
        dust *= 1 - mask
        _lay(stage, canvas, layer, crest, mask, side)
        dust += _spray(stage, crest, layer)
    blow = scenery.Drift(stage, "sand", stage.height, beta=1.9, low=2.0, stretch=4.0, speed=0.22)
    bright = scenery.lit(mix(palette.light, palette.accents[1], 0.3), 0.2)

    def frame(moment: float) -> Floats:
        picture = canvas.copy()
        paint.blend(picture, bright, dust * paint.smoothstep(-0.2, 2.0, blow(moment)))
        return picture

    return frame


def _crest(stage: Stage, layer: int, horizon: float) -> Floats:
    """The outline of a dune: long hollows that meet in sharp crests."""
    rng = stage.rng(f"crest {layer}")
    near = layer / (LAYERS - 1)
    wide = max(stage.landscape, 0.8)
    hollow = np.abs(noise.line(rng, stage.width, wide * (2.3 - 1.2 * near), 2, 0.25))
    long = noise.line(rng, stage.width, wide * 1.2, 1)
    base = horizon + 0.03 + (0.8 - horizon) * near**1.25
    height = 0.05 + 0.11 * near
    crest: Floats = (base - height * (0.75 - 1.25 * hollow + 0.35 * long)).astype(np.float32)
    return crest


def _spray(stage: Stage, crest: Floats, layer: int) -> Floats:
    """Sand in the air just above a crest."""
    above = crest[None] - stage.grid()[1]
    near = layer / (LAYERS - 1)
    reach = 0.012 + 0.02 * near
    return np.where(above > -0.004, np.exp(-np.maximum(above, 0) / reach), 0.0).astype(np.float32) * np.float32(0.55)


def _lay(stage: Stage, canvas: Floats, layer: int, crest: Floats, mask: Floats, side: float) -> None:
    palette = stage.palette
    rng = stage.rng(f"face {layer}")
    near = layer / (LAYERS - 1)
    sand = mix(mix(palette.accents[1], palette.far, 0.4), palette.sky[-1], 0.45 * (1 - near))
    bright = mix(shift(sand, light=0.03), palette.light, 0.3)
    dark = mix(shift(sand, light=-0.17), palette.near, 0.25 + 0.3 * near)
    depth = np.maximum(stage.grid()[1] - crest[None], 0)
    shade, across = _faces(stage, rng, crest, depth, side, near)
    bend = noise.resize(noise.clouds(rng, 128, 256, 3.2, 1.0, 1.5), stage.width, stage.height)
    ripple = np.sin(depth * np.float32(330 - 190 * near) + across * np.float32(26 * side) + bend * np.float32(2.2))
    grain = noise.resize(noise.clouds(rng, 256, 256, 0.9, 8.0), stage.width, stage.height)
    tone = paint.lookup(ramp([bright, mix(bright, sand, 0.6), mix(sand, dark, 0.6), dark], 512), shade)
    calm = paint.smoothstep(0.0, 0.06, depth) * (0.35 + 0.65 * (1 - shade))
    tone *= 1.0 + ripple * calm * np.float32(0.02 + 0.035 * near) + grain * np.float32(0.014)
    paint.blend(canvas, tone, mask)
    edge = np.exp(-((depth / np.float32(0.003)) ** 2)) * mask * (1 - shade)
    paint.glow(canvas, palette.light, edge * np.float32(0.35))


def _faces(stage: Stage, rng: Rng, crest: Floats, depth: Floats, side: float, near: float) -> tuple[Floats, Floats]:
    """Shade (0 lit to 1 dark): the slope of the crest, carried down along winding ridges; and the way across."""
    slope = np.gradient(crest) * stage.width * side
    # A ridge is sharp; seen from far away it still must not be jagged.
    reach = max(3, stage.width // 300)
    slope = np.convolve(np.pad(slope, reach, mode="edge"), np.ones(reach) / reach, "same")[reach:-reach]
    table = np.clip(0.5 + 0.5 * np.tanh(slope * 2.4), 0, 1).astype(np.float32)
    winding = noise.line(rng, 1024, 2.2, 2, 0.3) * np.linspace(0, 1, 1024, dtype=np.float32)
    down = np.clip(depth / np.float32(0.12 + 0.4 * near), 0, 1)
    wander = winding[(down * 1023).astype(np.int32)] * np.float32(0.07 + 0.08 * near)
    across = stage.grid()[0] + np.float32(side * 0.16) * down + wander
    place = np.clip(across * stage.width, 0, stage.width - 1).astype(np.int32)
    shade = table[place]
    shade = shade + (np.float32(0.55) - shade) * down**2 * np.float32(0.75)
    return shade, across
