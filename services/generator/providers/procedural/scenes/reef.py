"""Under water: light from above, shoals of fish, weeds that sway, bubbles that rise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.generator.providers.procedural import noise, paint, scenery
from services.generator.providers.procedural.colour import Rgb, mix, shift
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.pad import Pad, oval, path, smooth, stroke
from services.generator.providers.procedural.stage import Frame, Rng, Stage


def compose(stage: Stage) -> Frame:
    """Water and rocks stand; rays, weed, fish and bubbles move."""
    rng = stage.rng("reef")
    palette = stage.palette
    surface, deep = mix(palette.sky[3], palette.accents[2], 0.35), mix(palette.sky[0], palette.near, 0.3)
    canvas = paint.fade(
        stage, [shift(surface, light=0.1), surface, mix(surface, deep, 0.55), deep], at=[0, 0.2, 0.62, 1]
    )
    sun = (rng.uniform(0.3, 0.7), -0.12)
    paint.glow(canvas, palette.light, scenery.halo(stage, *sun, 0.5, 1.2) * np.float32(0.75))
    for layer in range(3):
        ground = _rocks(stage, layer)
        paint.blend(
            canvas,
            mix(mix(surface, deep, 0.5), shift(palette.near, light=0.02), (0.35, 0.68, 0.96)[layer]),
            scenery.below(stage, ground),
        )
    rays = _Rays(stage, sun)
    weeds = _weeds(stage, rng)
    fish = _shoal(stage, rng)
    bubbles = rng.random((26, 4))

    def frame(moment: float) -> Floats:
        picture = canvas.copy()
        paint.glow(picture, palette.light, rays(moment))
        for swimmer in fish:
            if swimmer.far:
                _swim(stage, picture, swimmer, moment)
        _sway(stage, picture, weeds, moment)
        for swimmer in fish:
            if not swimmer.far:
                _swim(stage, picture, swimmer, moment)
        _rise(stage, picture, bubbles, moment)
        return picture

    return frame


def _rocks(stage: Stage, layer: int) -> Floats:
    rng = stage.rng(f"rocks {layer}")
    x = np.linspace(-1, 1, stage.width, dtype=np.float32)
    valley = (0.16 + 0.05 * layer) * np.abs(x) ** 1.7
    rough = noise.line(rng, stage.width, (2.4 + layer) * stage.landscape, 6, 0.5)
    ground: Floats = (0.8 + 0.075 * layer - valley * (1.2 - 0.2 * layer) - 0.05 * rough).astype(np.float32)
    return ground


class _Rays:
    """Shafts that slant down from the surface, and the net of light above."""

    def __init__(self, stage: Stage, sun: tuple[float, float]) -> None:
        rng = stage.rng("shafts")
        self._stage = stage
        width, height = -(-stage.width // 4), -(-stage.height // 4)
        x = ((np.arange(width, dtype=np.float32) + 0.5) / width - np.float32(sun[0])) * np.float32(stage.landscape)
        y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height - np.float32(sun[1])
        angle = np.arctan2(x[None] + 0 * y, y + 0.25)
        self._place = np.clip((angle / 1.6 * 0.5 + 0.5) * 1023, 0, 1023).astype(np.int32)
        self._fade = np.exp(-y * 1.7) * paint.smoothstep(0.0, 0.2, y) + 0 * x[None]
        self._beams = [noise.unit(noise.line(rng, 1024, 22, 3, 0.6), 0.8) ** 2 for _ in range(2)]

    def __call__(self, moment: float) -> Floats:
        share = np.float32(0.5 - 0.5 * np.cos(self._stage.turns(moment, 4.0)))
        beams = self._beams[0] * (1 - share) + self._beams[1] * share
        light = (beams[self._place] * self._fade).astype(np.float32)
        return noise.resize(light, self._stage.width, self._stage.height) * np.float32(0.62)


@dataclass(frozen=True, slots=True)
class _Fish:
    """A fish: place and course in shorter sides, size, kind and colours."""

    x: float
    y: float
    size: float
    way: float
    laps: int
    kind: int
    body: Rgb
    band: Rgb
    phase: float
    far: bool


def _shoal(stage: Stage, rng: Rng) -> list[_Fish]:
    palette = stage.palette
    wide, high = stage.width / stage.side, stage.height / stage.side
    water = mix(palette.sky[3], palette.accents[2], 0.35)
    fish = []
    way = float(rng.choice([-1, 1]))
    heart = (rng.uniform(-0.25, 0.25) * wide, rng.uniform(-0.22, -0.02) * high)
    for _ in range(16):
        x, y = heart[0] + rng.normal(0, 0.2) * wide, heart[1] + rng.normal(0, 0.07) * high
        tint = mix(palette.accents[3], water, 0.45)
        fish.append(
            _Fish(x, y, rng.uniform(0.03, 0.045), way, 1, 2, tint, shift(tint, light=0.08), rng.uniform(0, 6.28), True)
        )
    named = stage.has("fish", "poisson", "clown", "nemo", "koi", "carpe")
    for number in range(4 if named else 3):
        colour = palette.accents[number % 2]
        band = mix(palette.paper, (1.0, 1.0, 1.0), 0.5)
        place = ((number - 1.2) * 0.27 * wide + rng.uniform(-0.05, 0.05), rng.uniform(-0.05, 0.25) * high)
        size = rng.uniform(0.1, 0.15) if number else 0.19
        fish.append(
            _Fish(*place, size, float(rng.choice([-1, 1])), 1, number % 2, colour, band, rng.uniform(0, 6.28), False)
        )
    return fish


def _swim(stage: Stage, picture: Floats, fish: _Fish, moment: float) -> None:
    """Draw one fish where it is now: it wavers, and crosses the picture once in a long film."""
    wide = stage.width / stage.side
    angle = stage.turns(moment, 1.6) + fish.phase
    course = 0.09 * np.sin(stage.turns(moment, 6.0) + fish.phase) if stage.moving else 0.0
    x, y = fish.x + fish.way * course * wide, fish.y + 0.008 * np.sin(angle)
    pad = Pad(picture, (stage.width / 2 + x * stage.side, stage.height / 2 + y * stage.side), fish.size * stage.side)
    tail = 0.1 * np.sin(angle * 2)
    flip = np.array([fish.way, 1.0])
    slim = (0.36, 0.5, 0.24)[fish.kind]
    dark = shift(fish.body, light=-0.1)
    fan = [
        (-0.52, 0.0),
        (-0.78, -0.28 + tail),
        (-0.98, -0.34 + tail),
        (-0.86, 0.0 + tail),
        (-0.98, 0.34 + tail),
        (-0.78, 0.28 + tail),
    ]
    pad.fill(smooth(np.array(fan) * flip), dark, to=fish.body)
    top = [(-0.3, -slim * 0.8), (-0.2, -slim * 1.5), (0.15, -slim * 1.45), (0.3, -slim * 0.75)]
    pad.fill(smooth(np.array(top) * flip), dark, alpha=0.95)
    low = [(-0.15, slim * 0.8), (-0.18, slim * 1.4), (0.1, slim * 1.2), (0.12, slim * 0.8)]
    pad.fill(smooth(np.array(low) * flip), dark, alpha=0.95)
    outline = [
        (0.62, 0.03),
        (0.5, -slim * 0.5),
        (0.2, -slim * 0.95),
        (-0.2, -slim * 0.8),
        (-0.55, -slim * 0.18),
        (-0.55, slim * 0.18),
        (-0.2, slim * 0.8),
        (0.2, slim * 0.92),
        (0.5, slim * 0.5),
    ]
    body = pad.fill(smooth(np.array(outline) * flip), shift(fish.body, light=0.05), to=shift(fish.body, light=-0.1))
    if fish.kind < 2:
        for at, width in path("0.3,0.12 -0.08,0.14 -0.42,0.09"):
            band = [(at * fish.way, -0.6), ((at + 0.04) * fish.way, 0.0), (at * fish.way, 0.6)]
            pad.fill(stroke(band, width + 0.04, 0.9), shift(fish.body, light=-0.28), within=body, alpha=0.8)
            pad.fill(stroke(band, width, 0.9), fish.band, within=body)
    fin = [(0.1, 0.06), (-0.1, 0.02 + tail * 0.6), (-0.2, 0.16 + tail * 0.6), (0.0, 0.2)]
    pad.fill(smooth(np.array(fin) * flip), dark, alpha=0.85)
    if not fish.far:
        pad.fill(oval(0.42 * fish.way, -slim * 0.22, 0.068, 0.068), (1.0, 1.0, 1.0))
        pad.fill(oval(0.435 * fish.way, -slim * 0.22, 0.042, 0.045), (0.06, 0.06, 0.09))
        pad.fill(oval(0.42 * fish.way, -slim * 0.28, 0.015, 0.015), (1.0, 1.0, 1.0))
    pad.fill(oval(0.05 * fish.way, -slim * 0.5, 0.35, slim * 0.2), (1.0, 1.0, 1.0), alpha=0.18, soft=0.05, within=body)


def _weeds(stage: Stage, rng: Rng) -> list[tuple[float, float, float, float, Rgb, float, int]]:
    """Weed and coral along the ground: place, foot, height, width, tint, phase, kind."""
    palette = stage.palette
    wide, high = stage.width / stage.side / 2, stage.height / stage.side / 2
    water = mix(palette.sky[0], palette.near, 0.3)
    weeds = []
    for number in range(int(30 * max(1.0, wide * 2))):
        side = rng.choice([-1, 1])
        x = side * wide * (1 - rng.random() ** 1.4 * 0.85)
        near = number / 30
        tint = mix(palette.accents[(number * 2 + 1) % 5], water, 0.25 + 0.3 * (1 - min(1, near)))
        kind = int(rng.random() < 0.3)
        tall = rng.uniform(0.12, 0.36) * (0.6 + 0.6 * abs(x) / wide) * (0.55 if kind else 1.0)
        weeds.append(
            (
                float(x),
                high + 0.02 - 0.06 * abs(x) / wide,
                tall,
                rng.uniform(0.014, 0.03),
                shift(tint, light=rng.uniform(-0.06, 0.06)),
                rng.uniform(0, 6.28),
                kind,
            )
        )
    return weeds


def _sway(
    stage: Stage, picture: Floats, weeds: list[tuple[float, float, float, float, Rgb, float, int]], moment: float
) -> None:
    pad = Pad(picture, (stage.width / 2, stage.height / 2), float(stage.side))
    angle = stage.turns(moment, 4.0)
    for x, foot, tall, width, tint, phase, kind in weeds:
        if kind:
            _coral(pad, x, foot, tall, tint, phase)
            continue
        t = np.linspace(0, 1, 8)
        bend = 0.1 * tall * np.sin(angle + phase + t * 3.4) * t + 0.03 * np.sin(phase + t * 6)
        line = np.stack([x + bend, foot - tall * t], axis=1)
        half = width * np.sqrt(np.maximum(1 - t, 0)) * (1 + 0.25 * np.sin(t * 19 + phase))
        outline = np.concatenate([line - np.stack([half, 0 * half], 1), (line + np.stack([half, 0 * half], 1))[::-1]])
        pad.fill(smooth(outline, 4), shift(tint, light=0.08), to=shift(tint, light=-0.12))


def _coral(pad: Pad, x: float, foot: float, tall: float, tint: Rgb, phase: float) -> None:
    """A fan of knobbed branches."""
    for branch in range(7):
        lean = (branch - 3) * 0.26 + 0.05 * np.sin(phase + branch * 2)
        reach = tall * (1 - 0.06 * abs(branch - 3))
        tip = (x + np.sin(lean) * reach, foot - np.cos(lean) * reach)
        middle = (x + np.sin(lean * 0.7) * reach * 0.55, foot - np.cos(lean * 0.7) * reach * 0.55)
        pad.fill(stroke([(x, foot), middle, tip], 0.022, 0.75), shift(tint, light=0.05 - 0.02 * (branch % 3)))
        pad.fill(oval(tip[0], tip[1], 0.013, 0.013), shift(tint, light=0.1))


def _rise(stage: Stage, picture: Floats, bubbles: NDArray[np.float64], moment: float) -> None:
    pad = Pad(picture, (0.0, 0.0), 1.0)
    for x, y, size, phase in bubbles:
        radius = (0.003 + 0.008 * size * size) * stage.side
        up = (y - moment * max(1, round(stage.seconds / 6)) if stage.moving else y) % 1.0
        px = (0.12 + 0.76 * x) * stage.width + np.sin(phase * 6.28 + up * 20) * radius
        py = up * stage.height
        pad.fill(oval(px, py, radius, radius, steps=24), (1.0, 1.0, 1.0), alpha=0.22)
        pad.fill(
            oval(px - radius * 0.3, py - radius * 0.35, radius * 0.35, radius * 0.28, steps=16),
            (1.0, 1.0, 1.0),
            alpha=0.75,
        )
