"""Northern lights over a lake: curtains that breathe, stars, dark firs."""

import numpy as np
from numpy.typing import NDArray

from services.generator.providers.procedural import noise, paint, scenery
from services.generator.providers.procedural.colour import mix, ramp
from services.generator.providers.procedural.stage import Frame, Stage

Floats = NDArray[np.float32]
CURTAINS = 3


def compose(stage: Stage) -> Frame:
    """Sky and stars stand, curtains move, the lake mirrors them."""
    rng = stage.rng("aurora")
    palette = stage.palette
    shore = rng.uniform(0.72, 0.8)
    rows = int(shore * stage.height)
    canvas = paint.fade(stage, palette.sky, to=shore)
    canvas += scenery.Stars(stage, stage.height, 1.3)()
    ground = shore - 0.018 * noise.unit(noise.line(rng, stage.width, 3.0 * stage.landscape, 5), 1.2) - 0.006
    hills = (shore - 0.035 - 0.05 * noise.unit(noise.line(rng, stage.width, 2.0 * stage.landscape, 6, 0.45), 1.0))
    far = scenery.below(stage, hills)[:rows]
    trees = np.maximum(scenery.treeline(stage, "firs", ground, 0.15, 130), scenery.below(stage, ground))[:rows]
    curtains = [_Curtain(stage, index, rows) for index in range(CURTAINS)]
    water = _Water(stage, rows)

    def frame(moment: float) -> Floats:
        picture = canvas.copy()
        sky = picture[:, :rows]
        for curtain in curtains:
            curtain.shine(sky, moment)
        paint.blend(sky, mix(palette.far, palette.near, 0.45), far)
        paint.blend(sky, palette.near, trees)
        water.fill(picture, moment)
        return picture

    return frame


class _Curtain:
    """One band of light: a wandering lower edge with rays that rise from it."""

    def __init__(self, stage: Stage, index: int, rows: int) -> None:
        rng = stage.rng(f"curtain {index}")
        palette = stage.palette
        self._stage, self._rows = stage, rows
        wide = max(stage.landscape, 0.7)
        self._edge = 0.34 + 0.13 * index + 0.16 * noise.line(rng, stage.width, 1.3 * wide, 3, 0.45)
        self._sway = noise.line(rng, stage.width, 2.0 * wide, 2)
        self._rays = [noise.unit(noise.line(rng, stage.width, 26 * wide, 4, 0.75), 1.6) for _ in range(2)]
        self._body = noise.unit(noise.line(rng, stage.width, 2.2 * wide, 3), 1.1)
        first, second = palette.accents[index % 2], palette.accents[2 + index % 2]
        # From the bright lower edge to the dim top of the rays.
        self._colours = ramp([mix(first, (1.0, 1.0, 1.0), 0.35), first, mix(first, second, 0.5), second], 512, [0, 0.1, 0.45, 1])
        self._strength = (0.95, 0.8, 0.6)[index]
        self._tall = rng.uniform(0.3, 0.45)
        self._phase = rng.uniform(0, 2 * np.pi)

    def shine(self, sky: Floats, moment: float) -> None:
        """Add the band to the sky, at half resolution: it is soft along every line but the rays."""
        stage = self._stage
        angle = stage.turns(moment, 6.0)
        breath = 0.85 + 0.15 * np.sin(angle + self._phase)
        edge = self._edge + 0.018 * np.sin(angle + self._phase) * self._sway
        share = 0.5 + 0.5 * np.sin(angle)
        rays = self._rays[0] * (1 - share) + self._rays[1] * share
        tall = self._tall * (0.45 + 0.55 * rays)
        y = np.arange(0, self._rows, 2, dtype=np.float32)[:, None] / stage.height
        rise = (edge[None, ::2] - y) / tall[None, ::2]
        light = np.exp(-np.maximum(rise, 0) * 2.6) * (0.25 + 0.75 * rays[None, ::2])
        light *= paint.smoothstep(-0.07, 0.03, rise) * (0.25 + 0.75 * self._body[None, ::2])
        light *= np.float32(self._strength * breath)
        index = np.clip(rise * 380, 0, 511).astype(np.int32)
        for channel in range(3):
            added = noise.resize(self._colours[channel][index] * light, stage.width, self._rows, smooth=False)
            sky[channel] += (1 - sky[channel]) * added


class _Water:
    """The lake: the picture above, mirrored, pulled sideways by ripples and darkened."""

    def __init__(self, stage: Stage, rows: int) -> None:
        self._stage, self._rows = stage, rows
        depth = stage.height - rows
        near = (np.arange(depth, dtype=np.float32)[:, None] + 1) / depth
        rng = stage.rng("ripples")
        self._noise = [noise.resize(noise.clouds(rng, 256, 128, 2.0, 10.0, 0.12), stage.width, depth) for _ in range(2)]
        self._reach = near * np.float32(stage.side * 0.016) + 1
        self._mirror = np.clip(rows - 1 - np.arange(depth) * min(1.6, rows / depth), 0, rows - 1).astype(np.int32)
        self._dim = (0.82 - 0.35 * near).astype(np.float32)

    def fill(self, picture: Floats, moment: float) -> None:
        stage = self._stage
        angle = stage.turns(moment, 5.0)
        ripple = self._noise[0] * np.float32(np.cos(angle)) + self._noise[1] * np.float32(np.sin(angle))
        ripple *= self._reach
        rows = np.clip(self._mirror[:, None] + ripple.astype(np.int32), 0, self._rows - 1)
        columns = np.arange(stage.width)[None]
        flat = rows * stage.width + columns
        for channel in range(3):
            source = np.ascontiguousarray(picture[channel, : self._rows]).ravel()
            picture[channel, self._rows :] = np.take(source, flat) * self._dim + 0.012
