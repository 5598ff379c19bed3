"""Stained glass: a sun over hills and water, or a rose window, in leaded panes with light behind them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.colour import Rgb, mix, ramp, shift
from services.generator.providers.procedural.fields import Floats, Points
from services.generator.providers.procedural.stage import Frame, Rng, Stage

Polygon = list[tuple[float, float]]
Shade = Callable[[Points], Rgb]
SCALE = 2
LEAD: Rgb = (0.035, 0.033, 0.04)


def compose(stage: Stage) -> Frame:
    """Panes cut once; light wanders behind them."""
    rng = stage.rng("glass")
    rose = (
        stage.has("rosace", "rose", "cathedral", "cathedrale", "church", "eglise", "kaleidoscope", "mandala")
        or rng.random() < 0.4
    )
    panes = _rose(stage, rng) if rose else _shards(stage, rng)
    colour, lead, numbers = _draw(stage, rng, panes, rose)
    body = _glass(stage) * colour
    spots = np.array([np.mean(pane, axis=0) for pane in panes] or [(0.0, 0.0)])
    glowing = np.stack([noise.blur(plane * lead, stage.side / 50) for plane in colour])
    phase = stage.rng("phase").uniform(0, 2 * np.pi, len(panes) + 1)

    def frame(moment: float) -> Floats:
        angle = stage.turns(moment, 5.0)
        x, y = 0.28 * np.sin(angle), -0.12 + 0.12 * np.cos(angle)
        far = (spots[:, 0] / (stage.width * SCALE) - 0.5 - x) ** 2 + (
            spots[:, 1] / (stage.height * SCALE) - 0.5 - y
        ) ** 2
        light = np.concatenate([[0.0], 0.74 + 0.5 * np.exp(-far / 0.12)])
        light += 0.06 * np.sin(angle + phase)
        shine = np.take(light.astype(np.float32), numbers)
        picture = body * shine
        leads = np.array(LEAD, np.float32)[:, None, None]
        picture = leads + (picture - leads) * lead
        picture += (1 - np.clip(picture, 0, 1)) * glowing * np.float32(0.16)
        return picture

    return frame


def _glass(stage: Stage) -> Floats:
    """The uneven glass itself: streaks, seeds, thickness."""
    rng = stage.rng("streaks")
    streaks = noise.resize(noise.clouds(rng, 256, 256, 2.0, 3.0, 0.35), stage.width, stage.height)
    slope = np.zeros_like(streaks)
    slope[1:] = streaks[1:] - streaks[:-1]
    body: Floats = 1.0 + np.float32(0.085) * streaks + slope * np.float32(0.9 * stage.side / 1024)
    return np.clip(body, 0.6, 1.4)


def _draw(stage: Stage, rng: Rng, panes: list[Polygon], rose: bool) -> tuple[Floats, Floats, NDArray[np.int32]]:
    """Colours, how much of each pixel is glass, and each pixel's pane."""
    size = (stage.width * SCALE, stage.height * SCALE)
    colour, glass = Image.new("RGB", size), Image.new("L", size)
    numbers = Image.new("I", (stage.width, stage.height))
    pens = (ImageDraw.Draw(colour), ImageDraw.Draw(glass), ImageDraw.Draw(numbers))
    shade = _rose_shade(stage) if rose else _landscape_shade(stage)
    gap = stage.side * SCALE * 0.0042
    for number, pane in enumerate(panes, 1):
        middle = np.mean(pane, axis=0)
        tint = shift(shade(middle), light=rng.normal(0, 0.035), turn=rng.normal(0, 0.012), chroma=1.08)
        fill = (round(tint[0] * 255), round(tint[1] * 255), round(tint[2] * 255))
        pens[0].polygon(pane, fill=fill, outline=fill, width=round(gap) + 1)
        pens[2].polygon([(a / SCALE, b / SCALE) for a, b in pane], fill=number, outline=number)
        # A pane laid over others is leaded all round.
        pens[1].polygon(pane, fill=0, outline=0, width=round(gap))
        pens[1].polygon(_shrunk(pane, gap), fill=255)
    # Corners of lead are rounded by solder.
    soft = noise.blur(np.asarray(glass.reduce(SCALE), np.float32) / 255, 2.4 * stage.side / 1024)
    lead = paint.smoothstep(0.3, 0.7, soft)
    return paint.from_image(colour.reduce(SCALE)), lead, np.asarray(numbers, np.int32)


def _shrunk(pane: Polygon, gap: float) -> Polygon:
    """The pane inset by `gap` along every edge (its corners move along their bisectors)."""
    points = np.array(pane)
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    one, other = points - before, after - points
    one /= np.linalg.norm(one, axis=1, keepdims=True) + 1e-9
    other /= np.linalg.norm(other, axis=1, keepdims=True) + 1e-9
    x, y = points[:, 0], points[:, 1]
    area = float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    turn = 1.0 if area > 0 else -1.0
    normals = np.stack([-(one[:, 1] + other[:, 1]), one[:, 0] + other[:, 0]], axis=1)
    inward = np.stack([-one[:, 1], one[:, 0]], axis=1)
    along = np.sum(normals * inward, axis=1, keepdims=True)
    moved = points + turn * normals * gap / np.maximum(along, 0.55)
    return _corners(moved)


def _landscape_shade(stage: Stage) -> Shade:
    """The picture the shards form: sun, rays, hills, water."""
    rng = stage.rng("landscape")
    palette = stage.palette
    sky = ramp([shift(c, chroma=1.25) for c in (palette.sky[0], palette.sky[1], palette.sky[2], palette.sky[3])], 256)
    sun = (rng.uniform(0.35, 0.65), rng.uniform(0.3, 0.42))
    rim = noise.line(rng, 256, 2.2, 3)
    core, ring = mix(palette.light, palette.accents[1], 0.35), mix(palette.accents[0], palette.accents[1], 0.4)
    greens = [mix(palette.accents[3], palette.far, 0.3), palette.accents[3], palette.accents[4]]

    def shade(spot: Points) -> Rgb:
        x, y = spot[0] / (stage.width * SCALE), spot[1] / (stage.height * SCALE)
        dx, dy = (x - sun[0]) * stage.width / stage.side, (y - sun[1]) * stage.height / stage.side
        far = float(np.hypot(dx, dy))
        hill = 0.66 + 0.09 * float(rim[int(np.clip(x, 0, 0.999) * 256)])
        if y > hill:
            deep = min(2, int((y - hill) / max(0.36 - 0.04, 0.1) * 3 + 0.3))
            return shift(greens[deep], light=0.1 - 0.1 * deep)
        if far < 0.13:
            return core
        if far < 0.21:
            return ring
        ray = np.cos(np.arctan2(dy, dx) * 7)
        base = sky[:, int(np.clip(y / hill, 0, 0.999) * 255)]
        tone: Rgb = (float(base[0]), float(base[1]), float(base[2]))
        return mix(tone, palette.accents[1], float(np.clip(ray * 0.55 - 0.05, 0, 1) * np.exp(-far * 1.1)))

    return shade


def _rose_shade(stage: Stage) -> Shade:
    """Colours by ring and petal."""
    rng = stage.rng("rose colours")
    accents = [shift(c, chroma=1.2, light=-0.03) for c in stage.palette.accents]
    order = rng.permutation(5)
    count = int(rng.integers(2, 4))

    def shade(spot: Points) -> Rgb:
        x, y = spot[0] - stage.width * SCALE / 2, spot[1] - stage.height * SCALE / 2
        far = float(np.hypot(x, y)) / (stage.side * SCALE)
        ring = int(far * 17)
        petal = round(float(np.arctan2(y, x)) / (2 * np.pi) * 24)
        pick = accents[order[(ring + petal % count) % 5]]
        deep = shift(stage.palette.sky[0], chroma=1.3, light=0.12)
        return mix(pick, deep, float(np.clip((far - 0.42) * 4, 0, 0.8)))

    return shade


def _rose(stage: Stage, rng: Rng) -> list[Polygon]:
    """A rose: a hub, lancets that point outwards, medallions laid between them, quarries in the corners."""
    cx, cy, unit = stage.width * SCALE / 2, stage.height * SCALE / 2, stage.side * SCALE

    def at(radius: float | Points, angle: float | Points) -> Points:
        return np.stack([cx + radius * unit * np.cos(angle), cy + radius * unit * np.sin(angle)], axis=-1)

    def band(inner: float, outer: float, count: int, turn: float) -> list[Polygon]:
        edges = 2 * np.pi * (np.arange(count + 1) + turn) / count
        ways = [np.linspace(edges[i], edges[i + 1], 9) for i in range(count)]
        return [_corners(np.concatenate([at(outer, way), at(inner, way[::-1])])) for way in ways]

    def lancets(inner: float, outer: float, count: int, turn: float) -> list[Polygon]:
        t = np.linspace(0, 1, 12)
        half = np.pi / count * 0.8 * np.sin(np.pi * (0.16 + 0.84 * t)) ** 0.8
        middles = 2 * np.pi * (np.arange(count) + turn) / count
        radius = inner + (outer - inner) * t
        return [_corners(np.concatenate([at(radius, m + half), at(radius[::-1], (m - half)[::-1])])) for m in middles]

    def medallions(radius: float, size: float, count: int, turn: float) -> list[Polygon]:
        round_ = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        middles = at(radius, 2 * np.pi * (np.arange(count) + turn) / count)
        return [_corners(m + size * unit * np.stack([np.cos(round_), np.sin(round_)], axis=1)) for m in middles]

    count = int(rng.choice([8, 10, 12]))
    panes = band(0.07, 0.25, count, 0.5) + band(0.25, 0.4, count * 2, 0.0) + band(0.4, 0.47, count * 3, 0.5)
    panes += lancets(0.075, 0.245, count, 0.0) + medallions(0.325, 0.34 / count, count, 0.5)
    panes += (
        lancets(0.262, 0.392, count, 0.0) + medallions(0.0, 0.06, 1, 0.0) + medallions(0.435, 0.24 / count, count, 0.5)
    )
    reach = float(np.hypot(stage.width, stage.height)) / stage.side / 2
    radius, wide = 0.47, 0.105
    while radius < reach:
        panes += band(radius, radius + wide, round(2 * np.pi * (radius + wide / 2) / 0.13), float(rng.uniform(0, 1)))
        radius += wide
    return panes


def _corners(points: Points) -> Polygon:
    return [(float(x), float(y)) for x, y in points]


def _shards(stage: Stage, rng: Rng) -> list[Polygon]:
    """Voronoi cells of relaxed points."""
    width, height = stage.width * SCALE, stage.height * SCALE
    count = int(250 * width * height / min(width, height) ** 2**1.0)
    points = rng.random((count, 2)) * [width * 1.2, height * 1.2] - [width * 0.1, height * 0.1]
    for _ in range(2):
        cells = _cells(points, width, height)
        points = np.array([np.mean(cell, axis=0) for cell in cells])
    return [_corners(cell) for cell in _cells(points, width, height)]


def _cells(points: Points, width: float, height: float) -> list[Points]:
    """Each point's cell: a box cut by the bisectors towards its nearest neighbours."""
    margin = 0.12 * max(width, height)
    box = np.array(
        [(-margin, -margin), (width + margin, -margin), (width + margin, height + margin), (-margin, height + margin)]
    )
    gaps = np.sum((points[:, None] - points[None]) ** 2, axis=2)
    near = np.argsort(gaps, axis=1)[:, 1:17]
    cells = []
    for i, point in enumerate(points):
        cell = box
        for other in points[near[i]]:
            cell = _cut(cell, (point + other) / 2, other - point)
        cells.append(cell)
    return cells


def _cut(cell: Points, at: Points, away: Points) -> Points:
    """The part of a convex cell on the near side of a line."""
    side = (cell - at) @ away
    if side.max() <= 0:
        return cell
    kept = []
    for k in range(len(cell)):
        here, there = side[k], side[(k + 1) % len(cell)]
        if here <= 0:
            kept.append(cell[k])
        if (here < 0 < there) or (there < 0 < here):
            share = here / (here - there)
            kept.append(cell[k] + (cell[(k + 1) % len(cell)] - cell[k]) * share)
    return np.array(kept) if len(kept) >= 3 else cell
