"""A still life of turned forms: bottles, jugs, bowls and fruit on a table, in light that wanders."""

from dataclasses import dataclass

import numpy as np

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.colour import Rgb, mix, ramp, shift
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Frame, Rng, Stage

# Half widths from the top of a form to its foot, in parts of its height.
FORMS: dict[str, tuple[float, ...]] = {
    "bottle": (
        0.062,
        0.06,
        0.055,
        0.055,
        0.056,
        0.062,
        0.085,
        0.135,
        0.165,
        0.172,
        0.174,
        0.174,
        0.173,
        0.172,
        0.168,
        0.155,
    ),
    "slim": (0.05, 0.046, 0.042, 0.042, 0.043, 0.045, 0.05, 0.06, 0.082, 0.105, 0.118, 0.122, 0.122, 0.12, 0.116, 0.1),
    "jug": (0.2, 0.17, 0.15, 0.145, 0.16, 0.2, 0.245, 0.28, 0.3, 0.31, 0.308, 0.295, 0.275, 0.245, 0.215, 0.19),
    "vase": (0.17, 0.13, 0.105, 0.1, 0.115, 0.155, 0.205, 0.245, 0.265, 0.262, 0.24, 0.205, 0.165, 0.13, 0.115, 0.13),
    "bowl": (0.78, 0.785, 0.78, 0.77, 0.755, 0.735, 0.71, 0.68, 0.64, 0.595, 0.54, 0.47, 0.39, 0.32, 0.3, 0.32),
    "cup": (0.43, 0.43, 0.428, 0.426, 0.424, 0.42, 0.415, 0.41, 0.4, 0.39, 0.375, 0.355, 0.33, 0.3, 0.27, 0.25),
    "pear": (0.02, 0.1, 0.15, 0.175, 0.19, 0.205, 0.23, 0.265, 0.31, 0.345, 0.365, 0.37, 0.355, 0.32, 0.255, 0.13),
    "apple": (0.12, 0.3, 0.39, 0.445, 0.48, 0.5, 0.51, 0.512, 0.505, 0.49, 0.465, 0.435, 0.395, 0.34, 0.265, 0.14),
    "orange": (0.1, 0.25, 0.34, 0.4, 0.445, 0.475, 0.492, 0.5, 0.5, 0.492, 0.475, 0.445, 0.4, 0.34, 0.25, 0.12),
}
HEIGHTS = {
    "bottle": 0.56,
    "slim": 0.5,
    "jug": 0.36,
    "vase": 0.42,
    "bowl": 0.13,
    "cup": 0.17,
    "pear": 0.2,
    "apple": 0.135,
    "orange": 0.12,
}
NAMES = {
    "bottle": "bottle bouteille wine vin",
    "jug": "jug cruche carafe",
    "vase": "vase",
    "bowl": "bowl bol",
    "cup": "cup tasse coffee cafe tea",
    "pear": "pear poire",
    "apple": "apple pomme",
    "orange": "orange lemon citron",
}
# How flat the rings of a turned form look.
TIP = 0.2
FRUIT = frozenset({"pear", "apple", "orange"})


@dataclass(frozen=True, slots=True)
class _Thing:
    """One form on the table: where its foot stands, its height in shorter sides, its colour."""

    form: str
    x: float
    foot: float
    height: float
    colour: Rgb
    gloss: float


def compose(stage: Stage) -> Frame:
    """Masks and normals once; a frame turns the light and lays the shadows."""
    rng = stage.rng("still")
    table = rng.uniform(0.6, 0.64)
    things = sorted(_arrange(stage, rng), key=lambda thing: thing.foot)
    drawn = [_Drawn(stage, thing) for thing in things]
    wall = _room(stage, table)

    def frame(moment: float) -> Floats:
        angle = stage.turns(moment, 8.0)
        light = (-0.62 + 0.3 * np.sin(angle), -0.5, 0.6)
        picture = wall.copy()
        x, y = stage.grid()
        beam = np.exp(-(((x - 0.3 - 0.12 * np.float32(np.sin(angle)) + 0.25 * (y - 0.4)) / 0.34) ** 2))
        picture *= 0.8 + 0.27 * beam
        for thing in drawn:
            thing.cast(picture, light)
        for thing in drawn:
            thing.draw(picture, light)
        return picture

    return frame


def _room(stage: Stage, table: float) -> Floats:
    """A plastered wall and a table."""
    rng = stage.rng("room")
    palette = stage.palette
    tone = palette.sky[2] if not palette.dark else mix(palette.far, palette.sky[1], 0.5)
    wall = mix(tone, palette.paper, 0.45)
    wood = mix(mix(palette.accents[1], palette.far, 0.55), (0.72, 0.55, 0.4), 0.35)
    canvas = paint.fade(stage, [shift(wall, light=-0.07), wall], to=table)
    plaster = noise.resize(noise.clouds(rng, 256, 256, 1.9, 2.0), stage.width, stage.height)
    canvas *= 1.0 + np.float32(0.018) * plaster
    y = stage.grid()[1]
    edge = np.clip((y - np.float32(table)) * stage.height + 0.5, 0, 1) * np.ones((1, stage.width), np.float32)
    board = paint.fade(
        stage, [shift(wood, light=0.05), shift(wood, light=0.05), shift(wood, light=-0.12)], at=[0, table, 1]
    )
    streaks = noise.resize(noise.clouds(rng, 256, 256, 1.7, 3.0, 9.0), stage.width, stage.height)
    board *= 1.0 + np.float32(0.035) * streaks
    paint.blend(canvas, board, edge)
    seam = np.exp(-np.maximum(y - np.float32(table), 0) * 60) * edge
    paint.multiply(canvas, 1 - np.float32(0.16) * seam)
    return canvas


def _arrange(stage: Stage, rng: Rng) -> list[_Thing]:
    """Tall forms behind, fruit and cups before them, none hidden."""
    palette = stage.palette
    wide = stage.width / stage.side
    asked = stage.asked(NAMES)
    tall = [form for form in asked if HEIGHTS[form] > 0.3] + rng.permutation(["bottle", "jug", "vase", "slim"]).tolist()
    low = [form for form in asked if HEIGHTS[form] <= 0.3] * 2
    low += rng.permutation(["pear", "apple", "cup", "orange", "bowl"]).tolist()
    count = 3 if wide < 1.4 else 4
    shares = (0.12, 0.35, 0.3, 0.2, 0.15)
    tints = [mix(palette.accents[i], palette.paper, shares[i]) for i in rng.permutation(5)]
    span, aside = min(0.5 * wide, 0.24 * count), 0.07 if count % 2 else -0.07
    grown = min(1.12, 0.94 + 0.1 * stage.height / stage.side)
    things = []
    for row, forms in ((0, tall[:count]), (1, low[:count])):
        for i, form in enumerate(forms):
            x = (i / (count - 1) - 0.5) * span + aside * row + rng.uniform(-0.02, 0.02)
            foot = (0.2, 0.285)[row] + rng.uniform(-0.012, 0.012)
            height = HEIGHTS[form] * rng.uniform(0.94, 1.08) * grown
            gloss = 0.2 if form in FRUIT else rng.uniform(0.25, 0.6)
            things.append(_Thing(form, x, foot, height, _colour(stage, form, tints[(i + 2 * row) % 5]), gloss))
    return things


def _colour(stage: Stage, form: str, tint: Rgb) -> Rgb:
    natural: dict[str, Rgb] = {"pear": (0.78, 0.74, 0.3), "apple": (0.8, 0.24, 0.2), "orange": (0.94, 0.58, 0.18)}
    if form == "orange" and stage.has("lemon", "citron"):
        return (0.96, 0.83, 0.26)
    return mix(natural[form], tint, 0.22) if form in natural else tint


class _Drawn:
    """A thing's mask and normals in its box of the picture."""

    def __init__(self, stage: Stage, thing: _Thing) -> None:
        self._thing, self._stage = thing, stage
        side = stage.side
        self._cx = stage.width / 2 + thing.x * side
        self._foot = stage.height / 2 + thing.foot * side
        high = thing.height * side
        widths = np.array(FORMS[thing.form]) * high
        reach = float(widths.max())
        top, low = int(self._foot - high - reach * 0.2) - 2, int(self._foot + reach * 0.3) + 3
        left, right = int(self._cx - reach) - 3, int(self._cx + reach) + 4
        self._box = (slice(max(top, 0), min(low, stage.height)), slice(max(left, 0), min(right, stage.width)))
        y = np.arange(self._box[0].start, self._box[0].stop, dtype=np.float32)[:, None] + 0.5
        x = np.arange(self._box[1].start, self._box[1].stop, dtype=np.float32)[None] + 0.5 - np.float32(self._cx)
        fine = np.linspace(0, 1, 400)
        curve = np.interp(fine, np.linspace(0, 1, 16), widths)
        curve = np.convolve(np.pad(curve, 12, mode="edge"), np.ones(25) / 25, "valid")
        half = float(curve[-1])
        # Rows bend into ellipses, as seen a little from above: a point lies on the ring whose front passes through it.
        t = (y - np.float32(self._foot - high)) / np.float32(high) + 0 * x
        ring = np.interp(t, fine, curve).astype(np.float32)
        bend = np.sqrt(np.clip(1 - (x / np.maximum(ring, 1)) ** 2, 0, 1)) * ring
        t = t - bend * np.float32((0.0 if thing.form in FRUIT else TIP) / high)
        width = np.interp(t, fine, curve).astype(np.float32)
        slope = np.interp(t, fine, np.gradient(curve, high / 400)).astype(np.float32)
        n = np.clip(x / np.maximum(width, 0.5), -1, 1)
        self._nx, self._ny, self._nz = n, -slope * np.float32(0.8), np.sqrt(1 - n * n)
        size = np.sqrt(self._nx**2 + self._ny**2 + self._nz**2)
        self._nx, self._ny, self._nz = self._nx / size, self._ny / size, self._nz / size
        ends = np.minimum(t * high, (1 - t) * high)
        self._mask = np.clip(width - np.abs(x) + 0.5, 0, 1) * np.clip(ends + 0.5, 0, 1)
        self._x, self._y, self._reach, self._high, self._half = x, y, reach, high, half
        self._texture = self._glaze()

    def _glaze(self) -> Floats:
        rng = self._stage.rng(f"glaze {self._thing.form} {self._thing.x:.3f}")
        height, width = self._mask.shape
        field = noise.resize(noise.clouds(rng, 128, 128, 1.7, 3.0, 1.5), max(width, 4), max(height, 4))
        return 1.0 + field * np.float32(0.028)

    def cast(self, picture: Floats, light: tuple[float, float, float]) -> None:
        """The shadow on the table, away from the light, and the dark where the thing stands."""
        stage = self._stage
        x, y = stage.grid()
        px, py = x * stage.width - np.float32(self._cx), y * stage.height - np.float32(self._foot)
        way = -light[0] / 0.62
        along = px * np.float32(way) * np.float32(0.9) + py * np.float32(0.43)
        across = py - px * np.float32(0.06 * way)
        long = self._high * 0.55 + self._reach
        inside = ((along - long * 0.45) / long) ** 2 + (across / (self._reach * 0.42)) ** 2
        shadow = paint.smoothstep(1.15, 0.2, inside) * np.float32(0.34)
        near = (px / (self._half * 1.25)) ** 2 + ((py - self._half * 0.05) / (self._half * 0.34)) ** 2
        shadow = np.maximum(shadow, paint.smoothstep(1.3, 0.3, near) * np.float32(0.55))
        rows = slice(max(0, int(self._foot - self._reach)), stage.height)
        tint = mix(stage.palette.ink, (0.1, 0.08, 0.12), 0.4)
        paint.blend(picture, tint, shadow[rows], rows.start)

    def draw(self, picture: Floats, light: tuple[float, float, float]) -> None:
        """The form in its light."""
        thing, palette = self._thing, self._stage.palette
        day = self._nx * np.float32(light[0]) + self._ny * np.float32(light[1]) + self._nz * np.float32(light[2])
        lit = paint.smoothstep(-0.45, 0.95, day)
        bounce = np.clip(self._nx * 0.8 + 0.2, 0, 1) * np.clip(0.6 - self._nz, 0, 1) * np.float32(0.3)
        dark, bright = (
            mix(shift(thing.colour, light=-0.27), palette.ink, 0.3),
            mix(shift(thing.colour, light=0.06), palette.light, 0.22),
        )
        colours = ramp([dark, shift(thing.colour, light=-0.07), thing.colour, bright], 512)
        body = paint.lookup(colours, np.clip(lit + bounce, 0, 1)) * self._texture
        half = np.array([light[0], light[1], light[2] + 1.0]) / np.linalg.norm([light[0], light[1], light[2] + 1.0])
        shine = np.clip(self._nx * half[0] + self._ny * half[1] + self._nz * half[2], 0, 1) ** 46
        paint.glow(body, (1.0, 0.98, 0.94), shine.astype(np.float32) * np.float32(thing.gloss))
        patch = picture[:, self._box[0], self._box[1]]
        patch += (body - patch) * self._mask
        if thing.form not in FRUIT:
            self._mouth(patch, dark)
        else:
            self._stem(patch)

    def _mouth(self, patch: Floats, dark: Rgb) -> None:
        """The opening at the top: a rim and the dark inside."""
        wide = FORMS[self._thing.form][0] * self._high
        y = self._y - np.float32(self._foot - self._high)
        rim = np.sqrt((self._x / wide) ** 2 + (y / (wide * TIP)) ** 2)
        edge = np.float32(1.2 / max(wide * TIP, 1))
        paint.blend(patch, shift(self._thing.colour, light=0.08), np.clip((1.0 - rim) / edge + 0.5, 0, 1))
        paint.blend(patch, mix(dark, (0.05, 0.04, 0.06), 0.4), np.clip((0.86 - rim) / edge + 0.5, 0, 1))

    def _stem(self, patch: Floats) -> None:
        y = self._y - np.float32(self._foot - self._high)
        lean = self._x - (y * np.float32(-0.25))
        stem = (
            np.clip(self._high * 0.014 - np.abs(lean) + 0.5, 0, 1)
            * np.clip(y + self._high * 0.1, 0, 1)
            * np.clip(self._high * 0.1 - y, 0, 1)
        )
        paint.blend(patch, (0.24, 0.16, 0.1), stem.astype(np.float32))
