"""Northern lights over a lake: curtains that breathe, stars, dark firs."""

import numpy as np

from services.generator.providers.procedural import noise, paint, scenery
from services.generator.providers.procedural.colour import mix
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Frame, Stage

CURTAINS = 3
# The lights are computed at half resolution: they are soft in every direction.
STEP = 2


def compose(stage: Stage) -> Frame:
    """Sky and stars stand, curtains move, the lake mirrors them."""
    rng = stage.rng("aurora")
    palette = stage.palette
    shore = rng.uniform(0.72, 0.8)
    rows = int(shore * stage.height)
    canvas = paint.fade(stage, palette.sky, to=shore)
    canvas += scenery.Stars(stage, stage.height, 1.3)()
    ground = shore - 0.018 * noise.unit(noise.line(rng, stage.width, 3.0 * stage.landscape, 5), 1.2) - 0.006
    hills = shore - 0.035 - 0.05 * noise.unit(noise.line(rng, stage.width, 2.0 * stage.landscape, 6, 0.45), 1.0)
    far = scenery.below(stage, hills)[:rows]
    trees = np.maximum(scenery.treeline(stage, "firs", ground, 0.15, 130), scenery.below(stage, ground))[:rows]
    curtains = [_Curtain(stage, index, rows) for index in range(CURTAINS)]
    water = scenery.Mirror(stage, rows)

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
    """One band of light: rays that rise from a folded line, brightest where the line turns back on itself."""

    def __init__(self, stage: Stage, index: int, rows: int) -> None:
        rng = stage.rng(f"curtain {index}")
        palette = stage.palette
        self._stage, self._rows = stage, -(-rows // STEP)
        self._columns = -(-stage.width // STEP)
        wide = max(stage.landscape, 0.7)
        count = self._columns * 6
        s = np.linspace(-0.15, 1.15, count, dtype=np.float32)
        self._x = s + 0.26 / wide * noise.line(rng, count, 2.4 * wide, 2, 0.4)
        self._y = (
            0.6
            - 0.15 * index
            + rng.uniform(-0.32, 0.32) * (s - 0.5)
            + 0.19 * noise.line(rng, count, 1.5 * wide, 3, 0.42)
        )
        self._sway = [noise.line(rng, count, waves * wide, 2) for waves in (2.4, 3.1)]
        self._rays = [noise.unit(noise.line(rng, count, 34 * wide, 4, 0.7), 1.5) ** 2 for _ in range(2)]
        self._body = paint.smoothstep(0.1, 0.75, noise.unit(noise.line(rng, count, 2.0 * wide, 3), 0.9))
        first = palette.accents[index % 2]
        self._tints = (mix(first, (1.0, 1.0, 1.0), 0.1), first, palette.accents[2 + index % 2])
        tall = rng.uniform(0.8, 1.15) * stage.height / STEP
        self._decays = [float(np.exp(-1.0 / (reach * tall))) for reach in (0.022, 0.1, 0.24)]
        self._strength = (1.0, 0.8, 0.65)[index] * 0.2
        self._phase = rng.uniform(0, 2 * np.pi)

    def shine(self, sky: Floats, moment: float) -> None:
        """Add the band to the sky."""
        line = self._line(moment)
        weights = (0.6, 1.5, 0.42)
        layers = [_rise(line, decay) * np.float32(w) for decay, w in zip(self._decays, weights, strict=True)]
        for channel in range(3):
            light = sum(np.float32(tint[channel]) * layer for tint, layer in zip(self._tints, layers, strict=True))
            full = noise.resize(np.asarray(light, np.float32), sky.shape[2], sky.shape[1])
            sky[channel] += (1 - sky[channel]) * (1 - np.exp(-np.maximum(full, 0)))

    def _line(self, moment: float) -> Floats:
        """The lit line itself, splatted between the rows."""
        angle = self._stage.turns(moment, 7.0)
        swing, lean = np.float32(np.sin(angle + self._phase)), np.float32(np.cos(angle + self._phase))
        still = np.float32(np.sin(self._phase)), np.float32(np.cos(self._phase))
        x = self._x + 0.025 * (swing - still[0]) * self._sway[0]
        y = self._y + 0.02 * (lean - still[1]) * self._sway[1]
        share = np.float32(0.5 - 0.5 * np.cos(angle))
        strength = (self._rays[0] * (1 - share) + self._rays[1] * share + 0.12) * self._body
        strength *= np.float32(self._strength * (1 + 0.12 * (swing - still[0])))
        column = (x * self._columns).astype(np.int32)
        row = y * self._rows
        low = np.floor(row).astype(np.int32)
        part = row - low
        inside = (column >= 0) & (column < self._columns) & (low >= 0) & (low < self._rows - 1)
        spot = (low * self._columns + column)[inside]
        size = self._rows * self._columns
        line = np.bincount(spot, (strength * (1 - part))[inside], size)
        line += np.bincount(spot + self._columns, (strength * part)[inside], size)
        field = line.reshape(self._rows, self._columns).astype(np.float32)
        field /= 1 + field / np.float32(8.0 * self._strength)
        # A crossing of the line is one ray wide at every resolution.
        return noise.blur(field, self._columns / 420) * np.float32(self._rows / 270)


def _rise(line: Floats, decay: float) -> Floats:
    """Each row's light plus what rises from the rows below, fading by `decay` a row; a soft foot hangs below."""
    light = np.empty_like(line)
    carried = np.zeros(line.shape[1], np.float32)
    for row in range(line.shape[0] - 1, -1, -1):
        carried *= np.float32(decay)
        carried += line[row]
        light[row] = carried
    foot = np.zeros(line.shape[1], np.float32)
    fall = np.float32(1 - 28 / line.shape[0])
    for row in range(line.shape[0]):
        foot *= fall
        light[row] += foot
        foot += line[row]
    return light
