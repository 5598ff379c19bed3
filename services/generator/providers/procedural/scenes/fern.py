"""A fern as on a botanical plate: fronds that unroll, pinna by pinna, and sway."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.colour import Rgb, lightness, mix, shift
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Frame, Rng, Stage

SCALE = 2


def compose(stage: Stage) -> Frame:
    """Paper, a soft shadow, three to five fronds from one foot."""
    rng = stage.rng("fern")
    sheet = _sheet(stage)
    fronds = _fronds(stage, rng)
    palette = stage.palette
    green = _green(stage)
    tones = [
        mix(shift(green, light=-0.13), palette.ink, 0.25),
        green,
        mix(shift(green, light=0.16), palette.accents[1], 0.25),
    ]

    def frame(moment: float) -> Floats:
        plant, mask = _draw(stage, fronds, tones, moment)
        picture = sheet.copy()
        gap = round(0.012 * stage.side)
        shadow = noise.blur(np.roll(mask, (gap, gap), axis=(0, 1)), 0.014 * stage.side)
        picture *= 1.0 - shadow * np.float32(0.22)
        paint.blend(picture, plant, mask)
        return picture

    return frame


def _green(stage: Stage) -> Rgb:
    """The palette's own green, or the accent nearest to it."""
    accents = stage.palette.accents
    best = max(accents, key=lambda c: c[1] - 0.5 * (c[0] + c[2]) - abs(lightness(c) - 0.55))
    return mix(best, (0.2, 0.42, 0.28), 0.3) if best[1] > best[0] else shift(best, light=-0.04)


def _sheet(stage: Stage) -> Floats:
    rng = stage.rng("sheet")
    palette = stage.palette
    x, y = stage.square()
    canvas = paint.plain(stage, palette.paper)
    light = np.exp(-((x + 0.15) ** 2 + (y + 0.2) ** 2) * 1.6)
    cloud = noise.resize(noise.clouds(rng, 128, 128, 2.4), stage.width, stage.height)
    canvas *= 0.93 + np.float32(0.07) * light + np.float32(0.008) * cloud
    tint = mix(palette.paper, palette.accents[1], 0.25)
    paint.blend(canvas, tint, np.clip(0.5 - 0.5 * light + 0.06 * cloud, 0, 1) * np.float32(0.55))
    return canvas


@dataclass(frozen=True, slots=True)
class _Frond:
    """A frond: its foot, lean, curl, length (shorter sides), width, number of pinnae and when it starts to grow."""

    foot: tuple[float, float]
    lean: float
    curl: float
    length: float
    width: float
    pairs: int
    late: float
    phase: float


def _fronds(stage: Stage, rng: Rng) -> list[_Frond]:
    tall = min(1.5, 0.62 + 0.48 * stage.height / stage.side)
    side = rng.choice([-1, 1])
    leans = [0.1 * side, -0.62 * side, 0.72 * side, -1.15 * side, 1.2 * side]
    lengths = [0.86, 0.66, 0.6, 0.42, 0.44]
    count = int(rng.integers(3, 6))
    fronds = []
    for i in reversed(range(count)):
        lean = leans[i] + rng.uniform(-0.1, 0.1)
        length = lengths[i] * tall * rng.uniform(0.95, 1.05)
        pairs = int(20 + 16 * lengths[i] + (6 if stage.fine else 0))
        curl = np.sign(lean) * rng.uniform(0.5, 0.95)
        foot = (rng.uniform(-0.02, 0.02), 0.47 * stage.height / stage.side)
        fronds.append(_Frond(foot, lean, curl, length, rng.uniform(0.2, 0.25), pairs, 0.09 * i, rng.uniform(0, 6.28)))
    return fronds


def _draw(stage: Stage, fronds: list[_Frond], tones: list[Rgb], moment: float) -> tuple[Floats, Floats]:
    """The plant's colours and its mask."""
    size = (stage.width * SCALE, stage.height * SCALE)
    colour, mask = Image.new("RGB", size, _bytes(tones[1])), Image.new("L", size)
    pens = (ImageDraw.Draw(colour), ImageDraw.Draw(mask))
    for frond in fronds:
        grown = 1.0
        if stage.moving:
            begun = np.clip((moment - 0.5 * frond.late) / 0.55, 0.0, 1.0)
            grown = 1.0 if moment == 0 else float(0.12 + 0.88 * (1 - (1 - begun) ** 2))
        sway = 0.03 * np.sin(stage.turns(moment, 3.5) + frond.phase) if stage.moving else 0.0
        _draw_frond(stage, frond, tones, pens, grown, float(sway))
    small = mask.reduce(SCALE)
    return paint.from_image(colour.reduce(SCALE)), np.asarray(small, np.float32) / 255


def _draw_frond(
    stage: Stage,
    frond: _Frond,
    tones: list[Rgb],
    pens: tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw],
    grown: float,
    sway: float,
) -> None:
    """Stem first, then each pair of pinnae, the tip still rolled up while it grows."""
    steps = 60
    along = np.linspace(0, 1, steps)
    rolled = (1 - grown) * 9.0 * along**2.2 * (np.sign(frond.curl) or 1)
    angle = frond.lean + (frond.curl + sway * 4) * along**1.6 + sway * along + rolled
    length = frond.length * (0.35 + 0.65 * grown)
    x = frond.foot[0] + np.concatenate([[0], np.cumsum(np.sin(angle[:-1]))]) * length / steps
    y = frond.foot[1] - np.concatenate([[0], np.cumsum(np.cos(angle[:-1]))]) * length / steps
    scale = stage.side * SCALE
    px, py = x * scale + stage.width * SCALE / 2, y * scale + stage.height * SCALE / 2
    stem = [(float(a), float(b)) for a, b in zip(px, py, strict=True)]
    dark = _bytes(tones[0])
    for i in range(steps - 1):
        width = max(1, round(scale * 0.0055 * (1 - 0.8 * i / steps)))
        pens[0].line([stem[i], stem[i + 1]], fill=dark, width=width + 1)
        pens[1].line([stem[i], stem[i + 1]], fill=255, width=width)
    for pair in range(frond.pairs):
        t = 0.16 + 0.835 * pair / (frond.pairs - 1)
        at = min(int(t * (steps - 1)), steps - 2)
        # Short at the foot, longest at a third, fading to the tip.
        reach = frond.width * frond.length * 1.25 * np.sin(np.pi * min(1.0, t) ** 0.62) ** 0.9 + 0.006
        room = 0.84 * frond.length / frond.pairs * 0.56
        open_ = np.clip((grown * 1.25 - t) * 4, 0.05, 1.0) if grown < 1 else 1.0
        for way in (-1, 1):
            tilt = angle[at] + way * (1.12 - 0.42 * t) * (0.4 + 0.6 * open_)
            _pinna(pens, tones, (px[at], py[at]), tilt, reach * open_ * scale, room * scale, way, t)


def _pinna(
    pens: tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw],
    tones: list[Rgb],
    foot: tuple[float, float],
    tilt: float,
    reach: float,
    room: float,
    way: int,
    t: float,
) -> None:
    """One pinna: lobes along both sides of a bent axis, as a single outline no wider than its `room`."""
    lobes = max(3, int(reach / (room * 0.95)))
    s = np.linspace(0.0, 1.0, lobes * 5 + 1)
    bend = tilt - way * 0.38 * s**1.5
    ax = foot[0] + np.cumsum(np.sin(bend)) * reach / len(s)
    ay = foot[1] - np.cumsum(np.cos(bend)) * reach / len(s)
    # Lobes are rounded teeth that lean to the tip.
    tooth = 0.38 + 0.62 * np.abs(np.sin(np.pi * lobes * s)) ** 0.7
    half = min(room, reach * 0.2) * (1 - s**1.9) * tooth + reach * 0.005
    nx, ny = np.cos(bend), np.sin(bend)
    upper = np.stack([ax + nx * half, ay + ny * half], axis=1)
    lower = np.stack([ax - nx * half, ay - ny * half], axis=1)[::-1]
    outline = [tuple(point) for point in np.concatenate([upper, lower])]
    side = tones[2] if way > 0 else mix(tones[1], tones[2], 0.35)
    shade = mix(tones[0], side, 0.35 + 0.65 * t)
    pens[0].polygon(outline, fill=_bytes(shade))
    pens[1].polygon(outline, fill=255)
    vein = [tuple(point) for point in np.stack([ax, ay], axis=1)[: int(len(s) * 0.85)]]
    pens[0].line(vein, fill=_bytes(mix(shade, tones[0], 0.55)), width=max(1, round(reach * 0.012)))


def _bytes(colour: Rgb) -> tuple[int, int, int]:
    return (round(colour[0] * 255), round(colour[1] * 255), round(colour[2] * 255))
