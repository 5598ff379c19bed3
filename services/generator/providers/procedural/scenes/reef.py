"""Under water: light from above, shoals of fish, weeds that sway, bubbles that rise."""

from dataclasses import dataclass

import numpy as np

from services.generator.providers.procedural import noise, paint, scenery
from services.generator.providers.procedural.colour import Rgb, mix, shift
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.pad import Pad, Sprite, oval, path, smooth, stroke
from services.generator.providers.procedural.stage import Frame, Rng, Stage

# Positions of the tail in one beat.
BEATS = 12


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
    pad = Pad(canvas, (stage.width / 2, stage.height / 2), float(stage.side))
    for x, foot, tall, _, tint, phase, coral in weeds:
        if coral:
            _coral(pad, x, foot, tall, tint, phase)
    shoal = _Shoal(stage, _fish(stage, rng))
    bubbles = _Bubbles(stage, rng)

    def frame(moment: float) -> Floats:
        picture = canvas.copy()
        paint.glow(picture, palette.light, rays(moment))
        shoal.swim(picture, moment, far=True)
        _sway(stage, picture, weeds, moment)
        shoal.swim(picture, moment, far=False)
        bubbles.rise(picture, moment)
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


def _fish(stage: Stage, rng: Rng) -> list[_Fish]:
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
            _Fish(
                x,
                y,
                float(rng.choice([0.03, 0.038, 0.045])),
                way,
                1,
                2,
                tint,
                shift(tint, light=0.08),
                rng.uniform(0, 6.28),
                True,
            )
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


class _Shoal:
    """The fish as sprites of their tail beats: alike fish share them."""

    def __init__(self, stage: Stage, fish: list[_Fish]) -> None:
        self._stage, self._fish = stage, fish
        self._sprites: dict[tuple[object, ...], Sprite] = {}

    def swim(self, picture: Floats, moment: float, far: bool) -> None:
        """Lay down the far fish or the near ones where they are now: they waver about their place."""
        stage = self._stage
        for fish in self._fish:
            if fish.far != far:
                continue
            course = 0.09 * np.sin(stage.turns(moment, 6.0) + fish.phase) if stage.moving else 0.0
            angle = stage.turns(moment, 1.6) + fish.phase
            x = stage.width / 2 + (fish.x + fish.way * course * (stage.width / stage.side)) * stage.side
            y = stage.height / 2 + (fish.y + 0.008 * np.sin(angle)) * stage.side
            beat = round(np.mod(angle * 2 / (2 * np.pi), 1.0) * BEATS) % BEATS
            self._sprite(fish, beat).lay(picture, float(x), float(y))

    def _sprite(self, fish: _Fish, beat: int) -> Sprite:
        key = (fish.kind, fish.way, fish.size, fish.body, beat)
        if key not in self._sprites:
            tail = 0.1 * float(np.sin(2 * np.pi * beat / BEATS))
            self._sprites[key] = Sprite(lambda pad: _draw_fish(pad, fish, tail), 1.1, fish.size * self._stage.side)
        return self._sprites[key]


def _draw_fish(pad: Pad, fish: _Fish, tail: float) -> None:
    """One fish, its tail bent aside."""
    side = fish.way
    slim = (0.36, 0.5, 0.24)[fish.kind]
    flip = np.array([side, slim])
    dark = shift(fish.body, light=-0.1)
    fan = path("-0.52,0 -0.78,-0.28 -0.98,-0.34 -0.86,0 -0.98,0.34 -0.78,0.28", side)
    fan[1:, 1] += tail
    pad.fill(smooth(fan), dark, to=fish.body)
    pad.fill(smooth(path("-0.3,-0.8 -0.2,-1.5 0.15,-1.45 0.3,-0.75") * flip), dark, alpha=0.95)
    pad.fill(smooth(path("-0.15,0.8 -0.18,1.4 0.1,1.2 0.12,0.8") * flip), dark, alpha=0.95)
    outline = path("0.62,0.06 0.5,-0.5 0.2,-0.95 -0.2,-0.8 -0.55,-0.18 -0.55,0.18 -0.2,0.8 0.2,0.92 0.5,0.5") * flip
    body = pad.fill(smooth(outline), shift(fish.body, light=0.05), to=shift(fish.body, light=-0.1))
    if not fish.far:
        for at, width in ((0.3, 0.12), (-0.08, 0.14), (-0.42, 0.09)):
            band = [(at * side, -0.6), ((at + 0.04) * side, 0.0), (at * side, 0.6)]
            pad.fill(stroke(band, width + 0.04, 0.9), shift(fish.body, light=-0.28), within=body, alpha=0.8)
            pad.fill(stroke(band, width, 0.9), fish.band, within=body)
        eye = 0.42 * side
        pad.fill(oval(eye, -slim * 0.22, 0.068, 0.068), (1.0, 1.0, 1.0))
        pad.fill(oval(eye + 0.015 * side, -slim * 0.22, 0.042, 0.045), (0.06, 0.06, 0.09))
        pad.fill(oval(eye, -slim * 0.28, 0.015, 0.015), (1.0, 1.0, 1.0))
    fin = path("0.1,0.06 -0.1,0.02 -0.2,0.16 0,0.2", side)
    fin[1:3, 1] += tail * 0.6
    pad.fill(smooth(fin), dark, alpha=0.85)
    pad.fill(oval(0.05 * side, -slim * 0.5, 0.35, slim * 0.2), (1.0, 1.0, 1.0), alpha=0.18, soft=0.05, within=body)


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


class _Bubbles:
    """Bubbles that rise, of three sizes."""

    def __init__(self, stage: Stage, rng: Rng) -> None:
        self._stage = stage
        self._places = rng.random((26, 3))
        self._kinds = rng.integers(0, 3, 26)
        self._sprites = [Sprite(_draw_bubble, 1.2, size * stage.side) for size in (0.0035, 0.006, 0.0105)]

    def rise(self, picture: Floats, moment: float) -> None:
        stage = self._stage
        rounds = max(1, round(stage.seconds / 6)) if stage.moving else 0
        for (x, y, phase), kind in zip(self._places, self._kinds, strict=True):
            up = (y - moment * rounds) % 1.0
            sway = 0.006 * np.sin(2 * np.pi * (phase + 3 * up)) * stage.side
            self._sprites[kind].lay(picture, float((0.12 + 0.76 * x) * stage.width + sway), float(up * stage.height))


def _draw_bubble(pad: Pad) -> None:
    pad.fill(oval(0, 0, 1.0, 1.0, steps=24), (1.0, 1.0, 1.0), alpha=0.22)
    pad.fill(oval(-0.3, -0.35, 0.35, 0.28, steps=16), (1.0, 1.0, 1.0), alpha=0.75)
