"""A chart of a land that never was: coasts, contours, rivers, forests of signs, a compass rose, a route."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.colour import mix, ramp, shift
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.pad import Pad, oval, smooth, stroke
from services.generator.providers.procedural.stage import Frame, Rng, Stage

SYLLABLES = (
    "al",
    "bre",
    "cor",
    "da",
    "el",
    "far",
    "gal",
    "is",
    "ka",
    "lo",
    "mar",
    "no",
    "or",
    "pel",
    "ri",
    "sa",
    "tor",
    "ul",
    "va",
    "zen",
)


def compose(stage: Stage) -> Frame:
    """The chart is drawn once; the sea lines breathe and the route is travelled."""
    rng = stage.rng("maps")
    height = _heights(stage)
    canvas = _tints(stage, height)
    _contours(stage, canvas, height)
    rings = _sea_lines(stage, height)
    route = _route(stage, rng, height)
    _furniture(stage, canvas, rng, height)
    frame_mask = _border(stage)
    ink = mix(stage.palette.ink, (0.2, 0.14, 0.1), 0.3)
    red = mix(stage.palette.accents[0], (0.75, 0.15, 0.12), 0.6)
    sea = mix(stage.palette.accents[3], ink, 0.35)

    def frame(moment: float) -> Floats:
        picture = canvas.copy()
        paint.blend(picture, sea, rings(moment))
        done = 0.15 + 0.85 * min(1.0, moment * 1.3) if stage.moving else 1.0
        _draw_route(stage, picture, route, done, red)
        paint.blend(picture, ink, frame_mask)
        return picture

    return frame


def _heights(stage: Stage) -> Floats:
    """Land above 0, sea below; an island or a coast."""
    rng = stage.rng("heights")
    x, y = stage.square()
    wide = stage.width / stage.side
    scale = 1.05 * max(wide, stage.height / stage.side)
    rows, columns = max(64, round(200 * stage.height / stage.side)), max(64, round(200 * wide))
    tile = noise.clouds(rng, 256, 256, 2.9, 1.0)
    gy, gx = np.mgrid[0:rows, 0:columns].astype(np.float32)
    rough = noise.sample_smooth(tile, gx * 256 / 215 + 20, gy * 256 / 215)
    coarse = noise.resize(rough, stage.width, stage.height)
    fine = noise.resize(noise.clouds(rng, 512, 512, 2.5, 6.0), stage.width, stage.height)
    away = np.sqrt((x / (0.5 * scale)) ** 2 + (y / 0.46) ** 2)
    return (
        coarse * np.float32(0.42)
        + fine * np.float32(0.022)
        + np.float32(0.42)
        - away.astype(np.float32) * np.float32(0.62)
    )


def _tints(stage: Stage, height: Floats) -> Floats:
    palette = stage.palette
    paper = palette.paper
    land = [
        mix(paper, palette.accents[1], 0.25),
        mix(paper, palette.accents[2], 0.35),
        mix(paper, palette.accents[1], 0.5),
        mix(paper, palette.accents[0], 0.5),
        shift(paper, light=0.02),
    ]
    sea = [
        mix(paper, palette.accents[3], 0.3),
        mix(paper, palette.accents[3], 0.55),
        mix(mix(paper, palette.accents[3], 0.6), palette.accents[4], 0.3),
    ]
    ground = paint.lookup(ramp(land, 1024), np.clip(height / 1.0, 0, 1))
    water = paint.lookup(ramp(sea, 1024), np.clip(-height / 0.8, 0, 1))
    steep = np.maximum(np.abs(np.gradient(height, axis=0)) + np.abs(np.gradient(height, axis=1)), 1e-5)
    shore = np.clip(height / steep + 0.5, 0, 1).astype(np.float32)
    paint.blend(water, ground, shore)
    smooth_height = noise.blur(np.maximum(height, 0), 0.007 * stage.side)
    slope = np.zeros_like(height)
    slope[1:, 1:] = smooth_height[1:, 1:] - smooth_height[:-1, :-1]
    paint.multiply(water, 1.0 + np.clip(slope * np.float32(stage.side * 0.075), -0.24, 0.16) * shore)
    stain = noise.resize(noise.clouds(stage.rng("stain"), 128, 128, 2.3), stage.width, stage.height)
    fibre = noise.resize(noise.clouds(stage.rng("fibre"), 512, 512, 0.9, 10.0), stage.width, stage.height)
    paint.multiply(water, 1.0 + stain * np.float32(0.02) + fibre * np.float32(0.012))
    return water


def _contours(stage: Stage, canvas: Floats, height: Floats) -> None:
    """Lines at equal heights, every fifth stronger, and the coast."""
    palette = stage.palette
    calm = noise.blur(height, 0.0022 * stage.side)
    steep = np.hypot(np.gradient(calm, axis=0), np.gradient(calm, axis=1)).astype(np.float32) + np.float32(1e-6)
    unit = stage.side / 1024
    brown = mix(palette.ink, palette.accents[0], 0.3)
    for step, width, alpha in ((0.045, 0.75, 0.42), (0.225, 1.25, 0.6)):
        levels = calm / np.float32(step)
        off = np.abs(levels - np.round(levels)) * np.float32(step) / steep
        line = np.clip(width * unit - off + 0.5, 0, 1) * (calm > step * 0.6)
        paint.blend(canvas, brown, line.astype(np.float32) * np.float32(alpha))
    coast = np.clip(
        1.5 * unit
        - np.abs(height)
        / (np.hypot(np.gradient(height, axis=0), np.gradient(height, axis=1)).astype(np.float32) + 1e-6)
        + 0.5,
        0,
        1,
    )
    paint.blend(canvas, mix(palette.ink, palette.accents[4], 0.2), coast.astype(np.float32) * np.float32(0.9))


def _sea_lines(stage: Stage, height: Floats) -> Frame:
    """Ripples along the coast, fainter outwards, that run slowly ashore."""
    calm = noise.blur(height, 0.012 * stage.side)
    depth = np.clip(-calm / 0.2, 0, 1)
    steep = np.hypot(np.gradient(calm, axis=0), np.gradient(calm, axis=1)).astype(np.float32) + np.float32(1e-6)
    fading = np.exp(-depth * 2.6) * (depth > 0.02) * (depth < 0.98)
    width = np.float32(0.7 * stage.side / 1024)

    def rings(moment: float) -> Floats:
        levels = depth * np.float32(7) + np.float32(max(1, round(stage.seconds / 4)) * moment if stage.moving else 0)
        off = np.abs(levels - np.round(levels)) * np.float32(0.2 / 7) / steep
        line: Floats = (np.clip(width - off + 0.5, 0, 1) * fading * 0.55).astype(np.float32)
        return line

    return rings


def _route(stage: Stage, rng: Rng, height: Floats) -> NDArray[np.float64]:
    """A winding way over the land, in shorter sides around the middle."""
    ends = np.array([[-0.3, 0.2], [0.26, -0.16]]) + rng.uniform(-0.06, 0.06, (2, 2))
    if rng.random() < 0.5:
        ends[:, 0] *= -1
    t = np.linspace(0, 1, 7)[:, None]
    way = ends[0] * (1 - t) + ends[1] * t
    bend = rng.uniform(-0.09, 0.09, (7, 1))
    bend[0], bend[-1] = 0, 0
    across = np.array([[-(ends[1] - ends[0])[1], (ends[1] - ends[0])[0]]])
    return smooth(way + across / np.linalg.norm(across) * bend, 14, closed=False)


def _draw_route(
    stage: Stage, picture: Floats, route: NDArray[np.float64], done: float, red: tuple[float, float, float]
) -> None:
    pad = Pad(picture, (stage.width / 2, stage.height / 2), float(stage.side))
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(route, axis=0).T))])
    total, dash = length[-1] * done, 0.016
    start = 0.0
    while start < total - dash * 0.3:
        places = np.linspace(start, min(start + dash * 0.6, total), 4)
        points = [(float(np.interp(p, length, route[:, 0])), float(np.interp(p, length, route[:, 1]))) for p in places]
        pad.fill(stroke(points, 0.0058, 0.8), red)
        start += dash
    if done > 0.97:
        x, y = route[-1]
        for way in (-1, 1):
            pad.fill(stroke([(x - 0.02, y - 0.02 * way), (x + 0.02, y + 0.02 * way)], 0.0085, 0.5, curved=False), red)
    x, y = route[0]
    pad.fill(oval(x, y, 0.0095, 0.0095), red)


def _furniture(stage: Stage, canvas: Floats, rng: Rng, height: Floats) -> None:
    """Peaks, firs, names, and a compass rose in the emptiest corner."""
    palette = stage.palette
    ink = mix(palette.ink, (0.2, 0.14, 0.1), 0.3)
    pad = Pad(canvas, (stage.width / 2, stage.height / 2), float(stage.side))
    wide, high = stage.width / stage.side / 2, stage.height / stage.side / 2

    def at(x: float, y: float) -> float:
        column, row = int((x / wide / 2 + 0.5) * stage.width), int((y / high / 2 + 0.5) * stage.height)
        return float(height[int(np.clip(row, 0, stage.height - 1)), int(np.clip(column, 0, stage.width - 1))])

    spots = rng.uniform(-0.92, 0.92, (420, 2)) * [wide, high]
    for x, y in sorted(spots.tolist(), key=lambda spot: spot[1]):
        level = at(x, y)
        size = rng.uniform(0.011, 0.017)
        if level > 0.52:
            pad.fill(
                np.array([(x - size, y + size * 0.6), (x, y - size), (x + size, y + size * 0.6)]),
                mix(palette.paper, ink, 0.12),
            )
            pad.fill(
                np.array([(x, y - size), (x + size, y + size * 0.6), (x + size * 0.25, y + size * 0.6)]),
                mix(palette.paper, ink, 0.5),
            )
            pad.fill(
                stroke(
                    [(x - size, y + size * 0.6), (x, y - size), (x + size, y + size * 0.6)], 0.0024, 0.7, curved=False
                ),
                ink,
            )
        elif 0.1 < level < 0.34 and np.sin(x * 21) + np.cos(y * 17) > 0.35:
            pad.fill(
                smooth(
                    [
                        (x, y - size),
                        (x + size * 0.45, y + size * 0.2),
                        (x, y + size * 0.4),
                        (x - size * 0.45, y + size * 0.2),
                    ],
                    4,
                ),
                mix(palette.accents[3], ink, 0.35),
            )
    corners = [(sx * (wide - 0.15), sy * (high - 0.15)) for sx in (-1, 1) for sy in (-1, 1)]
    place = min(corners, key=lambda spot: at(*spot))
    _rose(pad.moved(place[0], place[1], 0.105), ink, palette.paper, mix(palette.accents[0], ink, 0.2))
    _names(stage, canvas, rng, height, ink)


def _rose(
    pad: Pad, ink: tuple[float, float, float], paper: tuple[float, float, float], red: tuple[float, float, float]
) -> None:
    ring, hole = oval(0, 0, 0.8, 0.8, steps=90), oval(0, 0, 0.765, 0.765, steps=90)
    pad.fill(np.concatenate([ring, ring[:1], hole[:1], hole[::-1]]), ink)
    for count, reach, width in ((8, 0.7, 0.13), (4, 1.0, 0.17)):
        for point in range(count):
            way = 2 * np.pi * point / count
            tip = np.array([np.sin(way), -np.cos(way)]) * reach
            for side, tint in ((1, ink), (-1, paper)):
                base = np.array([np.sin(way + side * np.pi / 4), -np.cos(way + side * np.pi / 4)]) * width
                pad.fill(np.array([(0, 0), tip, base]), tint)
            edge = np.array([np.sin(way - np.pi / 4), -np.cos(way - np.pi / 4)]) * width
            pad.fill(stroke([tuple(tip), tuple(edge), (0.0, 0.0)], 0.018, 0.8, curved=False), ink)
    pad.fill(oval(0, 0, 0.07, 0.07), red)
    pad.fill(np.array([(-0.09, -1.06), (0.0, -1.25), (0.09, -1.06), (0.0, -1.11)]), red)


def _names(stage: Stage, canvas: Floats, rng: Rng, height: Floats, ink: tuple[float, float, float]) -> None:
    """A few names on land, in the built-in face."""
    scale = 2
    image = Image.new("L", (stage.width * scale, stage.height * scale))
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=0.021 * stage.side * scale)
    taken: list[tuple[float, float]] = []
    for _ in range(60):
        x, y = rng.uniform(0.14, 0.86), rng.uniform(0.14, 0.86)
        level = height[int(y * stage.height), int(x * stage.width)]
        far = all(abs(x - a) * stage.landscape > 0.2 or abs(y - b) > 0.09 for a, b in taken)
        if level < 0.08 or level > 0.5 or not far or len(taken) >= 6:
            continue
        taken.append((x, y))
        name = "".join(rng.choice(SYLLABLES, int(rng.integers(2, 4)))).capitalize()
        draw.text((x * image.width, y * image.height), " ".join(name), fill=255, font=font, anchor="mm")
    mask = np.asarray(image.reduce(scale), np.float32) / 255
    paint.blend(canvas, stage.palette.paper, noise.blur(mask, 0.004 * stage.side) * np.float32(0.9))
    paint.blend(canvas, ink, mask * np.float32(0.92))


def _border(stage: Stage) -> Floats:
    """A double frame with a scale of black and white."""
    x, y = stage.grid()
    unit = stage.side / 1024
    px, py = x * stage.width, y * stage.height
    inside = np.minimum(np.minimum(px, stage.width - px), np.minimum(py, stage.height - py))

    def rule(at: float, width: float) -> Floats:
        return np.clip(width * unit / 2 - np.abs(inside - at * unit) + 0.5, 0, 1)

    block = np.float32(stage.side / 16)
    along = np.where(
        np.minimum(px, stage.width - px) < np.minimum(py, stage.height - py),
        py - stage.height / 2,
        px - stage.width / 2,
    )
    chequer = (np.floor(along / block) % 2 == 0) & (inside > 21 * unit) & (inside < 29 * unit)
    lines = np.maximum(np.maximum(rule(20, 2), rule(30, 2)), np.maximum(rule(40, 1.2), chequer.astype(np.float32)))
    inked: Floats = (lines * 0.88).astype(np.float32)
    return inked
