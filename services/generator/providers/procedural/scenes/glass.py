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
        pens[0].polygon(pane, fill=fill, outline=fill, width=round(gap * 2) + 2)
        pens[2].polygon([(a / SCALE, b / SCALE) for a, b in pane], fill=number, outline=number)
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
    return [(float(a), float(b)) for a, b in moved]


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
    count = float(rng.integers(2, 4))

    def shade(spot: Points) -> Rgb:
        x, y = spot[0] - stage.width * SCALE / 2, spot[1] - stage.height * SCALE / 2
        far = np.hypot(x, y) / (stage.side * SCALE)
        ring = int(far * 11)
        petal = int(np.floor((np.arctan2(y, x) / (2 * np.pi) * 12 * (1 if ring < 3 else 2)) + 0.5))
        pick = accents[order[(ring + (petal % int(count))) % 5]]
        deep = shift(stage.palette.sky[0], chroma=1.3, light=0.12)
        return mix(pick, deep, float(np.clip((far - 0.42) * 4, 0, 0.8)))

    return shade


def _rose(stage: Stage, rng: Rng) -> list[Polygon]:
    """Rings of petals around a hub, quarry panes in the corners."""
    cx, cy, unit = stage.width * SCALE / 2, stage.height * SCALE / 2, stage.side * SCALE
    panes: list[Polygon] = []

    def arc(inner: float, outer: float, start: float, end: float, bulge: float) -> Polygon:
        way = np.linspace(start, end, 9)
        swell = 1 + bulge * np.sin(np.linspace(0, np.pi, 9))
        out = [
            (cx + outer * unit * s * np.cos(a), cy + outer * unit * s * np.sin(a))
            for a, s in zip(way, swell, strict=True)
        ]
        back = [
            (cx + inner * unit * s * np.cos(a), cy + inner * unit * s * np.sin(a))
            for a, s in zip(way, swell, strict=True)
        ]
        return [(float(a), float(b)) for a, b in out + back[::-1]]

    circle = np.linspace(0, 2 * np.pi, 25)[:-1]
    panes.append([(float(cx + 0.055 * unit * np.cos(a)), float(cy + 0.055 * unit * np.sin(a))) for a in circle])
    radii = [0.055, 0.13, 0.21, 0.29, 0.355, 0.43]
    for ring in range(5):
        count = 12 if ring < 2 else 24
        turn = (np.pi / count) * (ring % 2)
        for petal in range(count):
            start = 2 * np.pi * petal / count + turn
            panes.append(arc(radii[ring], radii[ring + 1], start, start + 2 * np.pi / count, 0.0))
    reach = float(np.hypot(stage.width, stage.height)) / stage.side / 2
    radius = radii[-1]
    while radius < reach:
        wide = 0.1
        count = round(2 * np.pi * (radius + wide / 2) / 0.11)
        turn = rng.uniform(0, 1)
        for petal in range(count):
            start = 2 * np.pi * (petal + turn) / count
            panes.append(arc(radius, radius + wide, start, start + 2 * np.pi / count, 0.0))
        radius += wide
    return panes


def _shards(stage: Stage, rng: Rng) -> list[Polygon]:
    """Voronoi cells of relaxed points."""
    width, height = stage.width * SCALE, stage.height * SCALE
    count = int(170 * width * height / min(width, height) ** 2**1.0)
    points = rng.random((count, 2)) * [width * 1.2, height * 1.2] - [width * 0.1, height * 0.1]
    for _ in range(2):
        cells = _cells(points, width, height)
        points = np.array([np.mean(cell, axis=0) for cell in cells])
    return [[(float(a), float(b)) for a, b in cell] for cell in _cells(points, width, height)]


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
