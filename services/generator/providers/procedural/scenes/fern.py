"""A fern as on a botanical plate: fronds that unroll, pinna by pinna, and sway."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.colour import Rgb, lightness, mix, shift
from services.generator.providers.procedural.fields import Floats, Points
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
        gap = max(1, round(0.012 * stage.side))
        fallen = np.zeros_like(mask)
        fallen[gap:, gap:] = mask[:-gap, :-gap]
        shadow = noise.blur(fallen, 0.014 * stage.side)
        picture *= 1.0 - shadow * np.float32(0.22)
        # Laid on black, a colour is as strong as it covers.
        picture *= 1.0 - mask
        picture += plant
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
        # The fronds that lean out stay within the sheet.
        length = lengths[i] * (tall if i == 0 else min(tall, 1.02)) * rng.uniform(0.95, 1.05)
        pairs = int(20 + 16 * lengths[i] + (6 if stage.fine else 0))
        curl = np.sign(lean) * rng.uniform(0.5, 0.95)
        foot = (rng.uniform(-0.02, 0.02), 0.47 * stage.height / stage.side)
        fronds.append(_Frond(foot, lean, curl, length, rng.uniform(0.17, 0.21), pairs, 0.09 * i, rng.uniform(0, 6.28)))
    return fronds


def _draw(stage: Stage, fronds: list[_Frond], tones: list[Rgb], moment: float) -> tuple[Floats, Floats]:
    """The plant's colours, laid on black, and its mask."""
    # Four plain channels: Pillow would divide RGBA by its alpha on the way down.
    image = Image.new("CMYK", (stage.width * SCALE, stage.height * SCALE))
    pen = ImageDraw.Draw(image)
    for frond in fronds:
        grown = 1.0
        if stage.moving:
            begun = float(np.clip((moment - 0.5 * frond.late) / 0.55, 0.0, 1.0))
            grown = 0.12 + 0.88 * (1 - (1 - begun) ** 2)
        sway = 0.03 * float(np.sin(stage.turns(moment, 3.5) + frond.phase)) if stage.moving else 0.0
        _draw_frond(stage, frond, tones, pen, grown, sway)
    planes = np.asarray(image.reduce(SCALE)).transpose(2, 0, 1).astype(np.float32) * np.float32(1 / 255)
    return planes[:3], planes[3]


def _draw_frond(
    stage: Stage, frond: _Frond, tones: list[Rgb], pen: ImageDraw.ImageDraw, grown: float, sway: float
) -> None:
    """Stem first, then each pair of pinnae, the tip still rolled up while it grows."""
    steps = 60
    along = np.linspace(0, 1, steps)
    rolled = (1 - grown) * 9.0 * along**2.2 * (np.sign(frond.curl) or 1)
    angle = frond.lean + (frond.curl + sway * 4) * along**1.6 + sway * along + rolled
    length = frond.length * (0.35 + 0.65 * grown)
    scale = stage.side * SCALE
    x = frond.foot[0] + np.concatenate([[0], np.cumsum(np.sin(angle[:-1]))]) * length / steps
    y = frond.foot[1] - np.concatenate([[0], np.cumsum(np.cos(angle[:-1]))]) * length / steps
    px, py = x * scale + stage.width * SCALE / 2, y * scale + stage.height * SCALE / 2
    stem = list(zip(px.tolist(), py.tolist(), strict=True))
    for i in range(steps - 1):
        pen.line(
            [stem[i], stem[i + 1]], fill=_bytes(tones[0]), width=max(1, round(scale * 0.0055 * (1 - 0.8 * i / steps)))
        )
    t = np.repeat(np.linspace(0.16, 0.995, frond.pairs), 2)
    way = np.tile([-1.0, 1.0], frond.pairs)
    at = np.minimum((t * (steps - 1)).astype(int), steps - 2)
    # Short at the foot, longest at a third, fading to the tip.
    reach = frond.width * frond.length * 1.25 * np.sin(np.pi * t**0.62) ** 0.9 + 0.006
    opened = np.clip((grown * 1.25 - t) * 4, 0.05, 1.0) if grown < 1 else np.ones_like(t)
    tilt = angle[at] + way * (1.12 - 0.42 * t) * (0.4 + 0.6 * opened)
    room = 0.84 * frond.length / frond.pairs * 0.56 * scale
    outlines, veins = _pinnae(px[at], py[at], tilt, reach * opened * scale, room, way)
    for i, (outline, vein) in enumerate(zip(outlines, veins, strict=True)):
        side = tones[2] if way[i] > 0 else mix(tones[1], tones[2], 0.35)
        shade = mix(tones[0], side, 0.35 + 0.65 * round(float(t[i]), 2))
        pen.polygon(outline.ravel().tolist(), fill=_bytes(shade))
        pen.line(
            vein.ravel().tolist(),
            fill=_bytes(mix(shade, tones[0], 0.55)),
            width=max(1, round(reach[i] * scale * 0.012)),
        )


def _pinnae(x: Points, y: Points, tilt: Points, reach: Points, room: float, way: Points) -> tuple[Points, Points]:
    """Every pinna as one outline no wider than its `room`, rounded teeth along both sides of a bent axis; its vein."""
    lobes = 11
    s = np.linspace(0.0, 1.0, lobes * 4 + 1)
    bend = tilt[:, None] - way[:, None] * 0.38 * s**1.5
    ax = x[:, None] + np.cumsum(np.sin(bend), axis=1) * reach[:, None] / len(s)
    ay = y[:, None] - np.cumsum(np.cos(bend), axis=1) * reach[:, None] / len(s)
    tooth = 0.38 + 0.62 * np.abs(np.sin(np.pi * lobes * s)) ** 0.7
    half = np.minimum(room, reach * 0.2)[:, None] * ((1 - s**1.9) * tooth) + reach[:, None] * 0.005
    nx, ny = np.cos(bend) * half, np.sin(bend) * half
    upper, lower = np.stack([ax + nx, ay + ny], axis=2), np.stack([ax - nx, ay - ny], axis=2)
    vein = np.stack([ax, ay], axis=2)[:, : int(len(s) * 0.85) : 4]
    return np.concatenate([upper, lower[:, ::-1]], axis=1), vein


def _bytes(colour: Rgb) -> tuple[int, int, int, int]:
    return (round(colour[0] * 255), round(colour[1] * 255), round(colour[2] * 255), 255)
