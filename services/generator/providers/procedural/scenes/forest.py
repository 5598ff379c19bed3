"""Inside a forest: trunks fading into mist, light that falls between them, drifting leaves."""

import numpy as np
from PIL import Image, ImageDraw

from services.generator.providers.procedural import noise, paint, scenery
from services.generator.providers.procedural.colour import mix, shift
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Frame, Rng, Stage

LAYERS = 5
SCALE = 2


def compose(stage: Stage) -> Frame:
    """Layers of trunks; rays breathe and mist drifts over the farther ones, leaves fall before all."""
    rng = stage.rng("forest")
    palette = stage.palette
    sun = (rng.uniform(0.3, 0.7), rng.uniform(0.1, 0.28))
    glowing = mix(palette.light, palette.sky[-1], 0.4)
    canvas = paint.fade(
        stage, [mix(palette.sky[0], palette.near, 0.35), palette.sky[2], palette.sky[-1], palette.sky[-2]], to=0.95
    )
    paint.glow(canvas, palette.light, scenery.halo(stage, *sun, 0.34, 1.3) * np.float32(0.9))
    veil = np.full((stage.height, stage.width), 0.0, np.float32)
    for layer in range(LAYERS):
        near = layer / (LAYERS - 1)
        mask = _trees(stage, layer)
        body = mix(mix(palette.far, palette.sky[-1], 0.62 * (1 - near)), palette.near, near**1.2)
        paint.blend(canvas, shift(body, light=-0.02 * near), mask)
        veil *= 1 - mask
        if layer < LAYERS - 1:
            ground = paint.smoothstep(0.5 + 0.05 * layer, 0.98, stage.grid()[1])
            paint.blend(canvas, glowing, np.repeat(ground, stage.width, axis=1) * np.float32(0.22))
            veil += (1 - veil) * np.float32(0.3)
    rays = _Rays(stage, sun)
    mist = scenery.Drift(stage, "mist", stage.height, beta=2.6, stretch=2.4, speed=0.03)
    low = paint.smoothstep(0.35, 0.9, stage.grid()[1])
    leaves = _Leaves(stage, rng)

    def frame(moment: float) -> Floats:
        picture = canvas.copy()
        paint.blend(picture, glowing, veil * low * paint.smoothstep(-1.2, 2.2, mist(moment)) * np.float32(0.85))
        paint.glow(picture, palette.light, rays(moment) * (np.float32(0.25) + veil))
        leaves.fall(picture, moment)
        return picture

    return frame


def _trees(stage: Stage, layer: int) -> Floats:
    """One layer of trunks with their branches, and the undergrowth at their feet."""
    rng = stage.rng(f"trees {layer}")
    near = layer / (LAYERS - 1)
    size = (stage.width * SCALE, stage.height * SCALE)
    image = Image.new("L", size)
    draw = ImageDraw.Draw(image)
    unit = stage.side * SCALE
    count = max(2, round((22 - 17 * near) * stage.landscape))
    ground = 0.78 + 0.16 * near + 0.02 * noise.line(rng, stage.width, 3 * stage.landscape, 5)
    for number in range(count):
        x = (number + rng.uniform(0.05, 0.95)) / count * size[0]
        foot = float(ground[int(np.clip(x / size[0], 0, 0.999) * stage.width)]) * size[1]
        _trunk(draw, rng, x, foot + 0.01 * unit, unit, (0.006 + 0.03 * near**1.4) * rng.uniform(0.7, 1.25))
    mask = np.asarray(image.reduce(SCALE), np.float32) / 255
    tufts = ground - (0.012 + 0.02 * near) * noise.unit(noise.line(rng, stage.width, 70 * stage.landscape, 3, 0.6), 1.0)
    return np.maximum(mask, scenery.below(stage, tufts))


def _trunk(draw: ImageDraw.ImageDraw, rng: Rng, x: float, foot: float, unit: float, width: float) -> None:
    """A trunk that leaves the picture at the top, with bare boughs."""
    steps = 14
    lean = rng.normal(0, 0.03)
    wander = np.cumsum(rng.normal(0, 0.0022, steps)) + lean * np.linspace(0, 1, steps)
    y = np.linspace(foot, -0.05 * unit, steps)
    middle = x + wander * unit
    taper = np.linspace(1.0, 0.62, steps)
    taper[0] = 1.55
    half = width * unit * taper / 2
    outline = [*zip(middle - half, y, strict=True), *zip((middle + half)[::-1], y[::-1], strict=True)]
    draw.polygon([(float(a), float(b)) for a, b in outline], fill=255)
    for _ in range(int(rng.integers(3, 8))):
        at = int(rng.integers(4, steps - 1))
        way = rng.choice([-1, 1])
        _bough(
            draw,
            rng,
            float(middle[at]),
            float(y[at]),
            way * rng.uniform(0.7, 1.3),
            width * unit * rng.uniform(3, 7),
            width * unit * 0.22,
        )


def _bough(draw: ImageDraw.ImageDraw, rng: Rng, x: float, y: float, angle: float, length: float, width: float) -> None:
    """A branch that forks twice."""
    if width < 0.6 or length < 4:
        return
    end = (x + np.sin(angle) * length, y - np.cos(angle) * length)
    draw.line([x, y, *end], fill=255, width=max(1, round(width)))
    for _ in range(2):
        _bough(draw, rng, *end, angle + rng.normal(0, 0.45), length * rng.uniform(0.45, 0.7), width * 0.62)


class _Rays:
    """Light that falls from the sun in widening beams."""

    def __init__(self, stage: Stage, sun: tuple[float, float]) -> None:
        rng = stage.rng("rays")
        self._stage = stage
        width, height = -(-stage.width // 4), -(-stage.height // 4)
        x = ((np.arange(width, dtype=np.float32) + 0.5) / width - np.float32(sun[0])) * np.float32(stage.landscape)
        y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height - np.float32(sun[1] - 0.12)
        angle = np.arctan2(x[None] + 0 * y, y)
        far = np.hypot(x[None], y)
        self._place = np.clip((angle / np.pi * 0.5 + 0.5) * 1023, 0, 1023).astype(np.int32)
        self._fade = (
            np.exp(-far * 1.15)
            * paint.smoothstep(0.02, 0.25, far)
            * (np.cos(angle) > 0)
            * np.clip(np.cos(angle) * 2, 0, 1)
        )
        self._beams = [noise.unit(noise.line(rng, 1024, 26, 3, 0.6), 0.8) ** 2 for _ in range(2)]

    def __call__(self, moment: float) -> Floats:
        share = np.float32(0.5 - 0.5 * np.cos(self._stage.turns(moment, 6.0)))
        beams = self._beams[0] * (1 - share) + self._beams[1] * share
        light = beams[self._place] * self._fade
        return noise.resize(light.astype(np.float32), self._stage.width, self._stage.height) * np.float32(0.95)


class _Leaves:
    """A few leaves or motes in the air."""

    def __init__(self, stage: Stage, rng: Rng) -> None:
        count = int(26 * max(stage.landscape, 1))
        self._stage = stage
        self._x, self._y = rng.random(count), rng.random(count)
        self._size = rng.uniform(1.4, 4.2, count) * stage.side / 1024
        self._phase = rng.random(count) * 2 * np.pi
        self._tints = [stage.palette.accents[i] for i in rng.integers(0, 3, count)]

    def fall(self, picture: Floats, moment: float) -> None:
        stage = self._stage
        laps = max(1, round(stage.seconds / 10)) if stage.moving else 0
        angle = stage.turns(moment, 3.0)
        for i in range(len(self._x)):
            x = (self._x[i] + 0.015 * np.sin(angle + self._phase[i])) % 1.0 * stage.width
            y = (self._y[i] + laps * moment) % 1.0 * stage.height
            _dab(picture, float(x), float(y), float(self._size[i]), float(self._phase[i] + angle), self._tints[i])


def _dab(picture: Floats, x: float, y: float, size: float, turn: float, tint: tuple[float, float, float]) -> None:
    """A small soft ellipse."""
    reach = int(size * 2) + 2
    left, top = max(0, int(x) - reach), max(0, int(y) - reach)
    right, low = min(picture.shape[2], int(x) + reach), min(picture.shape[1], int(y) + reach)
    if right <= left or low <= top:
        return
    dx, dy = np.arange(left, right) + 0.5 - x, np.arange(top, low)[:, None] + 0.5 - y
    a, b = dx * np.cos(turn) + dy * np.sin(turn), -dx * np.sin(turn) + dy * np.cos(turn)
    mask = np.clip(1.2 - np.sqrt((a / size) ** 2 + (b / (size * 0.55)) ** 2), 0, 0.85).astype(np.float32)
    for channel in range(3):
        patch = picture[channel, top:low, left:right]
        patch += (np.float32(tint[channel]) - patch) * mask
