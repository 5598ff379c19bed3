"""A meadow against the light: poppies, daisies, cornflowers and grass that sway."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from services.generator.providers.procedural import noise, paint, scenery
from services.generator.providers.procedural.colour import Rgb, mix, shift
from services.generator.providers.procedural.fields import Floats, Points
from services.generator.providers.procedural.stage import Frame, Rng, Stage

SCALE = 2
NAMES = {
    "tulip": "rose tulip tulipe",
    "daisy": "daisy daisies marguerite",
    "poppy": "poppy poppies coquelicot",
    "sun": "sunflower tournesol",
    "corn": "bleuet cornflower",
    "spike": "lavender lavande",
}


def compose(stage: Stage) -> Frame:
    """A soft sky, blurred flowers far away, sharp ones near by; in a film each group leans as one in the wind."""
    rng = stage.rng("flowers")
    back = _backdrop(stage)
    groups: list[tuple[Image.Image, float]] = []
    for depth in (0, 1, 2):
        plants = _plants(stage, rng, depth)
        count = 2 if stage.moving and depth == 2 else 1
        blurred = (0.0046, 0.0016, 0.0)[depth] * stage.side
        groups += [(_draw(stage, plants[i::count], blurred), 0.9 * len(groups) + i) for i in range(count)]

    def frame(moment: float) -> Floats:
        picture = back.copy()
        for image, phase in groups:
            lean = 0.035 * float(np.sin(stage.turns(moment, 4.0) + phase)) if stage.moving else 0.0
            _lay(stage, picture, _leant(image, lean))
        return picture

    return frame


def _leant(image: Image.Image, lean: float) -> Image.Image:
    """The group sheared about its foot."""
    if abs(lean) < 0.0005:
        return image
    shear = (1.0, lean, -lean * image.height, 0.0, 1.0, 0.0)
    return image.transform(image.size, Image.Transform.AFFINE, shear, Image.Resampling.BILINEAR)


def _lay(stage: Stage, picture: Floats, image: Image.Image) -> None:
    """Lay a group, whose colours are on black, over the lower part of the picture."""
    *colours, cover = (np.asarray(band, np.float32) * np.float32(1 / 255) for band in image.split())
    below = picture[:, stage.height - image.height :]
    rest = 1.0 - cover
    for channel, colour in enumerate(colours):
        below[channel] *= rest
        below[channel] += colour


def _backdrop(stage: Stage) -> Floats:
    rng = stage.rng("backdrop")
    palette = stage.palette
    canvas = paint.fade(stage, [palette.sky[1], palette.sky[2], palette.sky[3], palette.sky[4]], to=0.8)
    sun = (rng.uniform(0.3, 0.7), rng.uniform(0.22, 0.36))
    paint.glow(canvas, palette.light, scenery.halo(stage, *sun, 0.5, 1.3) * np.float32(0.6))
    paint.blend(canvas, scenery.lit(palette.light, 0.6), scenery.disc(stage, *sun, 0.1) * np.float32(0.8))
    cloud = noise.resize(noise.clouds(rng, 128, 256, 2.5, 1.0, 2.0), stage.width, stage.height)
    paint.glow(canvas, palette.light, noise.unit(cloud) * np.float32(0.2))
    ground = _green(stage)
    for index, base in enumerate((0.66, 0.76, 0.86)):
        hill = base + 0.03 * noise.line(rng, stage.width, 1.4 * stage.landscape, 3)
        tone = mix(mix(ground, palette.sky[-1], 0.62 - 0.22 * index), palette.light, 0.1)
        paint.blend(canvas, tone, noise.blur(scenery.below(stage, hill), 0.006 * stage.side))
    return canvas


def _green(stage: Stage) -> Rgb:
    return mix(stage.palette.near, (0.27, 0.45, 0.2), 0.55 if not stage.palette.dark else 0.25)


@dataclass(frozen=True, slots=True)
class _Plant:
    """A stem or blade: foot, height and lean in shorter sides; what it carries."""

    x: float
    foot: float
    height: float
    lean: float
    kind: str
    size: float
    tint: Rgb
    stalk: Rgb
    phase: float


def _plants(stage: Stage, rng: Rng, depth: int) -> list[_Plant]:
    """One depth of the meadow, the tallest first; 0 is far."""
    wide, high = stage.width / stage.side, stage.height / stage.side
    count = int((70, 44, 17)[depth] * wide)
    haze = (0.5, 0.24, 0.0)[depth]
    kinds = stage.asked(NAMES) or rng.permutation(["poppy", "daisy", "corn", "tulip"])[:3].tolist()

    def hazy(colour: Rgb, share: float = haze) -> Rgb:
        return mix(colour, stage.palette.sky[-1], share)

    def plant(x: float, tall: float, kind: str, size: float, tint: Rgb, straight: float) -> _Plant:
        stalk = hazy(shift(_green(stage), light=rng.uniform(-0.08, 0.1)))
        return _Plant(x, high + 0.02, tall, rng.normal(0, straight), kind, size, tint, stalk, rng.uniform(0, 6.28))

    plants = []
    for _ in range(count * 3):
        tall = rng.uniform(0.16, 0.42) * (0.55, 0.8, 1.1)[depth]
        plants.append(plant(rng.uniform(-0.05, wide + 0.05), tall, "grass", 0.0, (0.0, 0.0, 0.0), 0.22))
    for number in range(count):
        kind = kinds[int(rng.integers(0, len(kinds)))]
        tall = rng.uniform(0.26, 0.58) * (0.62, 0.85, 1.05)[depth] * min(1.25, 0.75 + 0.25 * high)
        size = rng.uniform(0.03, 0.05) * (0.5, 0.85, 1.35)[depth] * (1.3 if kind == "sun" else 1.0)
        x = (number + rng.uniform(0.1, 0.9)) / count * wide
        plants.append(plant(x, tall, kind, size, hazy(_petal(stage, rng, kind), haze * 0.8), 0.12))
    return sorted(plants, key=lambda one: one.height, reverse=True)


def _petal(stage: Stage, rng: Rng, kind: str) -> Rgb:
    accents = stage.palette.accents
    natural: dict[str, Rgb] = {
        "poppy": (0.88, 0.22, 0.16),
        "daisy": (0.97, 0.96, 0.92),
        "corn": (0.3, 0.38, 0.85),
        "tulip": accents[int(rng.integers(0, 3))],
        "sun": (0.98, 0.76, 0.16),
        "spike": (0.55, 0.42, 0.8),
    }
    return shift(mix(natural[kind], accents[int(rng.integers(0, 2))], 0.3), light=rng.uniform(-0.04, 0.04))


def _draw(stage: Stage, plants: list[_Plant], blurred: float) -> Image.Image:
    """A group as four channels, colours on black and cover; cropped to the rows it reaches."""
    reach = max((plant.height + 2 * plant.size for plant in plants), default=0.1) + 0.05
    high = min(stage.height, int(reach * stage.side) + 2)
    image = Image.new("CMYK", (stage.width * SCALE, high * SCALE))
    pen = ImageDraw.Draw(image)
    unit = stage.side * SCALE
    top = (stage.height - high) / stage.side
    for plant in plants:
        _plant(pen, replace(plant, foot=plant.foot - top), unit)
    small = image.reduce(SCALE)
    return small.filter(ImageFilter.GaussianBlur(blurred)) if blurred else small


Pen = ImageDraw.ImageDraw


def _plant(pen: Pen, plant: _Plant, unit: float) -> None:
    """The stem as a tapering curve, then its flower."""
    lean = plant.lean
    t = np.linspace(0, 1, 9)
    x = (plant.x + plant.height * lean * t**1.8) * unit
    y = (plant.foot - plant.height * t * (1 - 0.12 * lean**2)) * unit
    half = (0.0042 if plant.kind == "grass" else 0.0026) * unit * (1.06 - t) * (0.6 + plant.height)
    outline = np.concatenate([np.stack([x - half, y], 1), np.stack([x + half, y], 1)[::-1]])
    _fill(pen, outline, plant.stalk)
    if plant.kind != "grass":
        _FLOWERS[plant.kind](pen, plant, float(x[-1]), float(y[-1]), plant.size * unit, lean)


def _fill(pen: Pen, outline: Points, tint: Rgb) -> None:
    colour = (round(tint[0] * 255), round(tint[1] * 255), round(tint[2] * 255), 255)
    pen.polygon(outline.ravel().tolist(), fill=colour)


def _oval(x: float, y: float, a: float, b: float, turn: float = 0.0) -> Points:
    way = np.linspace(0, 2 * np.pi, 26)
    px, py = a * np.cos(way), b * np.sin(way)
    return np.stack([x + px * np.cos(turn) - py * np.sin(turn), y + px * np.sin(turn) + py * np.cos(turn)], axis=1)


def _daisy(pen: Pen, plant: _Plant, x: float, y: float, size: float, lean: float) -> None:
    petals = 13 if plant.kind == "daisy" else 21
    for ring, reach in ((0, 1.0), (1, 0.86)):
        for petal in range(petals):
            way = 2 * np.pi * (petal + 0.5 * ring) / petals + plant.phase
            px, py = np.cos(way) * 0.62 * size * reach, np.sin(way) * 0.5 * size * reach
            tint = shift(plant.tint, light=-0.05 if (petal + ring) % 2 else 0.0)
            _fill(pen, _oval(x + px, y + py, 0.42 * size * reach, 0.13 * size, float(np.arctan2(py, px))), tint)
    heart: Rgb = (0.95, 0.74, 0.2) if plant.kind == "daisy" else (0.35, 0.2, 0.1)
    core = 0.27 if plant.kind == "daisy" else 0.42
    _fill(pen, _oval(x, y, core * size, core * 0.82 * size), heart)
    _fill(pen, _oval(x - 0.05 * size, y - 0.06 * size, core * 0.6 * size, core * 0.45 * size), shift(heart, light=0.05))


def _poppy(pen: Pen, plant: _Plant, x: float, y: float, size: float, lean: float) -> None:
    for way, reach, light in ((-0.5, 0.72, -0.06), (0.5, 0.72, -0.03), (-0.16, 0.62, 0.02), (0.22, 0.6, 0.05)):
        _fill(
            pen,
            _oval(x + way * size, y + (0.1 - abs(way) * 0.25) * size, reach * size, 0.55 * size, way * 0.8 + lean),
            shift(plant.tint, light=light),
        )
    _fill(pen, _oval(x, y - 0.06 * size, 0.2 * size, 0.16 * size), (0.13, 0.1, 0.14))
    _fill(pen, _oval(x, y - 0.08 * size, 0.09 * size, 0.07 * size), (0.55, 0.6, 0.3))


def _tulip(pen: Pen, plant: _Plant, x: float, y: float, size: float, lean: float) -> None:
    for way, light in ((-0.34, -0.05), (0.34, -0.02), (0.0, 0.05)):
        t = np.linspace(0, np.pi, 14)
        wide = 0.36 * size * np.sin(t) ** 0.8
        up = -np.cos(t) * 0.62 * size
        left = np.stack([x + way * size - wide + way * 0.25 * up, y - 0.55 * size - up * 1.05], 1)
        right = np.stack([x + way * size + wide + way * 0.25 * up, y - 0.55 * size - up * 1.05], 1)[::-1]
        _fill(pen, np.concatenate([left, right]), shift(plant.tint, light=light))


def _corn(pen: Pen, plant: _Plant, x: float, y: float, size: float, lean: float) -> None:
    for petal in range(9):
        way = np.pi * (1.02 + 0.96 * petal / 8) + lean
        tip = np.array(
            [
                [-0.18, 0.62],
                [-0.24, 0.95],
                [-0.08, 0.84],
                [0.0, 1.02],
                [0.08, 0.84],
                [0.24, 0.95],
                [0.18, 0.62],
                [0.0, 0.05],
            ]
        )
        px = x + size * 0.85 * (tip[:, 1] * np.cos(way) - tip[:, 0] * np.sin(way))
        py = y + size * 0.75 * (tip[:, 1] * np.sin(way) + tip[:, 0] * np.cos(way)) - 0.1 * size
        _fill(pen, np.stack([px, py], 1), shift(plant.tint, light=0.05 * (petal % 2) - 0.02))
    _fill(pen, _oval(x, y, 0.24 * size, 0.3 * size), mix(plant.stalk, (0.2, 0.25, 0.2), 0.3))


def _spike(pen: Pen, plant: _Plant, x: float, y: float, size: float, lean: float) -> None:
    for bud in range(26):
        up = bud / 26
        way = -1 if bud % 2 else 1
        wide = 0.3 * (1 - up * 0.75)
        spot = (x + way * wide * size * 0.8 - lean * up * size * 0.3, y + (1.5 - 3.0 * up) * size)
        _fill(
            pen,
            _oval(*spot, 0.26 * size * (1.1 - 0.6 * up), 0.16 * size, way * -0.6),
            shift(plant.tint, light=0.1 * up - 0.05 * (bud % 3)),
        )


_FLOWERS = {"daisy": _daisy, "sun": _daisy, "poppy": _poppy, "tulip": _tulip, "corn": _corn, "spike": _spike}
