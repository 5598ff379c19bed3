"""A city by night across the water: windows that go on and off, beacons, traffic on the quay."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from services.generator.providers.procedural import noise, paint, scenery
from services.generator.providers.procedural.colour import Rgb, mix, shift
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Frame, Rng, Stage

LAYERS = 4
SCALE = 2


def compose(stage: Stage) -> Frame:
    """Sky, four rows of houses, the quay and its reflection."""
    palette = stage.palette
    shore = 0.86 if stage.landscape > 0.75 else 0.88
    rows = round(shore * stage.height)
    canvas = _sky(stage, shore)
    windows = _Windows(stage, rows)
    for layer in range(LAYERS):
        _lay_row(stage, canvas, windows, layer, shore)
    quay = scenery.below(stage, np.full(stage.width, shore - 0.008, np.float32))
    paint.blend(canvas, shift(palette.near, light=-0.02), quay)
    water = scenery.Mirror(stage, rows, squeeze=3.2, dim=0.85)
    traffic = _Traffic(stage, shore)

    def frame(moment: float) -> Floats:
        picture = canvas.copy()
        windows.shine(picture[:, :rows], moment)
        traffic.drive(picture, moment)
        water.fill(picture, moment)
        return picture

    return frame


def _sky(stage: Stage, shore: float) -> Floats:
    palette = stage.palette
    rng = stage.rng("sky")
    canvas = paint.fade(stage, palette.sky, to=shore - 0.04)
    if palette.dark:
        faint = 1 - paint.smoothstep(0.1, 0.6, stage.grid()[1])
        canvas += scenery.Stars(stage, stage.height, 0.7)() * faint
    haze = paint.smoothstep(0.25, shore, stage.grid()[1]) * np.ones((1, stage.width), np.float32)
    tide = noise.resize(noise.clouds(rng, 128, 256, 2.6, 1.0, 3.0), stage.width, stage.height)
    paint.glow(canvas, palette.sky[-1], haze * noise.unit(tide) * np.float32(0.35))
    moon = (rng.choice([rng.uniform(0.16, 0.36), rng.uniform(0.64, 0.84)]), rng.uniform(0.14, 0.26))
    paint.glow(canvas, palette.light, scenery.halo(stage, *moon, 0.13, 1.4) * np.float32(0.5))
    paint.blend(canvas, palette.light, scenery.disc(stage, *moon, 0.055))
    return canvas


@dataclass(frozen=True, slots=True)
class _House:
    """A house in pixels: left, right, roof."""

    left: float
    right: float
    roof: float


def _lay_row(stage: Stage, canvas: Floats, windows: "_Windows", layer: int, shore: float) -> None:
    palette = stage.palette
    rng = stage.rng(f"row {layer}")
    near = layer / (LAYERS - 1)
    houses = _houses(stage, rng, near, shore)
    image = Image.new("L", (stage.width * SCALE, stage.height * SCALE))
    draw = ImageDraw.Draw(image)
    for house in houses:
        draw.rectangle([house.left * SCALE, house.roof * SCALE, house.right * SCALE - 1, image.height], fill=255)
        _roof(stage, draw, rng, house, near, windows)
    mask = np.asarray(image.reduce(SCALE), np.float32) / 255
    front = palette.near if palette.dark else mix(palette.near, palette.ink, 0.75)
    body = mix(mix(palette.sky[-2], palette.far, 0.65), front, 0.15 + 0.85 * near**0.8)
    foot = mix(body, palette.sky[-1], 0.32 * (1 - near) + 0.04)
    y = paint.smoothstep(0.4, shore, stage.grid()[1])
    shaded = [np.float32(body[c]) + np.float32(foot[c] - body[c]) * y for c in range(3)]
    paint.blend(canvas, np.stack([np.repeat(plane, stage.width, axis=1) for plane in shaded]), mask)
    windows.hide(mask)
    for house in houses:
        windows.build(rng, house, near, shore)


def _houses(stage: Stage, rng: Rng, near: float, shore: float) -> list[_House]:
    """A row of houses from the left edge to the right one, highest in the middle of the city."""
    side, houses = stage.side, []
    x = -rng.uniform(0, 0.05) * side
    centre = rng.uniform(0.3, 0.7)
    while x < stage.width:
        width = side * rng.uniform(0.055, 0.11) * (0.75 + 0.35 * near)
        middle = (x + width / 2) / stage.width
        tall = 0.62 * np.exp(-(((middle - centre) / 0.33) ** 2)) + 0.38
        height = side * rng.uniform(0.16, 0.5) * tall * (1.12 - 0.3 * near)
        if rng.random() < 0.12:
            height *= 1.35
        houses.append(_House(round(x), round(x + width), round(shore * stage.height - height)))
        x += width + side * rng.choice([0.0, 0.0, rng.uniform(0.004, 0.03)])
    return houses


def _roof(stage: Stage, draw: ImageDraw.ImageDraw, rng: Rng, house: _House, near: float, windows: "_Windows") -> None:
    """What stands on a roof: a step, a spire, a mast with a beacon, a gable, or nothing."""
    kind = rng.choice(["flat", "flat", "step", "spire", "mast", "gable"])
    wide, middle, roof = house.right - house.left, (house.left + house.right) / 2, house.roof
    unit = stage.side * 0.01

    def box(left: float, top: float, right: float) -> None:
        draw.rectangle([left * SCALE, top * SCALE, right * SCALE - 1, roof * SCALE], fill=255)

    if kind == "step":
        box(house.left + wide * 0.18, roof - 2.2 * unit, house.right - wide * 0.18)
        box(house.left + wide * 0.36, roof - 4.0 * unit, house.right - wide * 0.36)
    elif kind == "spire":
        top = roof - rng.uniform(5, 9) * unit
        box(house.left + wide * 0.25, roof - 1.5 * unit, house.right - wide * 0.25)
        corners = [
            (house.left + wide * 0.32, roof - 1.5 * unit),
            (middle, top),
            (house.right - wide * 0.32, roof - 1.5 * unit),
        ]
        draw.polygon([(a * SCALE, b * SCALE) for a, b in corners], fill=255)
    elif kind == "mast":
        top = roof - rng.uniform(4, 8) * unit
        box(middle - wide * 0.2, roof - unit, middle + wide * 0.2)
        draw.line(
            [middle * SCALE, roof * SCALE, middle * SCALE, top * SCALE],
            fill=255,
            width=max(2, round(0.28 * unit * SCALE)),
        )
        windows.beacon(middle, top, near)
    elif kind == "gable":
        corners = [(house.left, roof), (house.left + wide * 0.3, roof - 2.4 * unit), (house.right, roof)]
        draw.polygon([(a * SCALE, b * SCALE) for a, b in corners], fill=255)


class _Windows:
    """Every window has a number; each pixel knows its window's, so that a frame is one look-up."""

    def __init__(self, stage: Stage, rows: int) -> None:
        self._stage = stage
        self._map = np.zeros((rows, stage.width), np.uint16)
        self._colours: list[Rgb] = [(0.0, 0.0, 0.0)]
        self._beacons: list[tuple[float, float]] = []
        self._rng = stage.rng("windows")
        palette = stage.palette
        warm = mix(palette.accents[0], (1.0, 0.86, 0.55), 0.75)
        self._tints = [
            warm,
            (1.0, 0.93, 0.75),
            mix(warm, (1.0, 0.7, 0.35), 0.5),
            mix(palette.accents[1], (0.8, 0.92, 1.0), 0.55),
        ]

    def hide(self, mask: Floats) -> None:
        """A nearer row hides the windows behind it."""
        self._map[mask[: self._map.shape[0]] > 0.5] = 0

    def beacon(self, x: float, y: float, near: float) -> None:
        if near > 0.3:
            self._beacons.append((x, y))

    def build(self, rng: Rng, house: _House, near: float, shore: float) -> None:
        """The windows of one house, some of them lit."""
        side = self._stage.side
        wide, tall = max(1, round(side * (0.0035 + 0.0042 * near))), max(2, round(side * (0.005 + 0.0065 * near)))
        across, down = wide + max(1, round(wide * rng.uniform(0.7, 1.2))), tall + max(2, round(tall * 0.75))
        room = round(house.right - house.left)
        count = max(0, (room - 2 * wide) // across)
        start = round(house.left) + (room - count * across + (across - wide)) // 2
        lit = rng.uniform(0.2, 0.55) * (0.75 + 0.25 * near)
        for y in range(round(house.roof) + tall, round(shore * self._stage.height) - 2 * tall, down):
            floor = rng.random() < 0.06
            for column in range(count):
                x = start + column * across
                if (floor or rng.random() < lit) and x >= 0 and len(self._colours) < 65_000:
                    strength = (0.55 + 0.45 * near) * rng.uniform(0.55, 1.0)
                    tint = self._tints[int(rng.choice(4, p=[0.45, 0.3, 0.15, 0.1]))]
                    self._map[y : y + tall, x : x + wide] = len(self._colours)
                    self._colours.append((tint[0] * strength, tint[1] * strength, tint[2] * strength))

    def shine(self, picture: Floats, moment: float) -> None:
        """Add the lit windows, their glow and the beacons."""
        table = np.array(self._colours, np.float32) * self._switched(moment)[:, None]
        unit = self._stage.side / 1024
        for channel in range(3):
            light = np.take(table[:, channel], self._map)
            picture[channel] = np.maximum(picture[channel], light)
            picture[channel] += (1 - picture[channel]) * noise.blur(light, 9 * unit) * np.float32(0.55)
        pulse = 0.5 + 0.5 * np.cos(self._stage.turns(moment, 2.0))
        for x, y in self._beacons:
            _spot(picture, x, y, 2.4 * unit, (1.0, 0.22, 0.2), 0.35 + 0.65 * pulse)

    def _switched(self, moment: float) -> Floats:
        """How bright each window is now: some go out for a while and come back, all as they were at the end."""
        count = len(self._colours)
        rng = self._stage.rng("switches")
        off, span = rng.random(count), rng.uniform(0.1, 0.5, count)
        restless = rng.random(count) < 0.3
        since = np.mod(moment - off, 1.0)
        out = (restless & (since < span) & (moment > 0)).astype(np.float32)
        soft = np.clip(np.minimum(since, span - since) * 40, 0, 1)
        bright: Floats = (1.0 - out * soft).astype(np.float32)
        return bright


class _Traffic:
    """Lamps of cars that travel along the quay, both ways."""

    def __init__(self, stage: Stage, shore: float) -> None:
        rng = stage.rng("traffic")
        count = int(14 * stage.landscape) + 4
        self._stage = stage
        self._x = rng.random(count)
        self._way = rng.choice([-1, 1], count)
        self._y = shore * stage.height - stage.side * 0.006

    def drive(self, picture: Floats, moment: float) -> None:
        unit = self._stage.side / 1024
        laps = max(1, round(self._stage.seconds / 8))
        for x, way in zip(self._x, self._way, strict=True):
            place = ((x + way * laps * moment) % 1.0) * 1.1 - 0.05
            tint = (1.0, 0.95, 0.82) if way > 0 else (1.0, 0.25, 0.2)
            y = self._y - (1.5 if way > 0 else -1.0) * unit
            _spot(picture, place * self._stage.width, y, 2.0 * unit, tint, 0.9)


def _spot(picture: Floats, x: float, y: float, radius: float, tint: Rgb, strength: float) -> None:
    """A small round light, with the glow round it."""
    reach = int(radius * 6) + 2
    left, top = int(x) - reach, int(y) - reach
    right, low = left + 2 * reach, top + 2 * reach
    left, top, right, low = max(0, left), max(0, top), min(picture.shape[2], right), min(picture.shape[1], low)
    if right <= left or low <= top:
        return
    gx, gy = np.arange(left, right) + 0.5 - x, np.arange(top, low)[:, None] + 0.5 - y
    far = (gx * gx + gy * gy) / radius**2
    light = (np.exp(-far) + 0.22 * np.exp(-far / 6)).astype(np.float32) * np.float32(strength)
    for channel in range(3):
        patch = picture[channel, top:low, left:right]
        patch += (1 - patch) * np.clip(light * np.float32(tint[channel]), 0, 1)
