"""Woven cloth: a kilim of stepped diamonds and zigzags, thread over thread."""

import math

import numpy as np
from numpy.typing import NDArray

from services.generator.providers.procedural import noise
from services.generator.providers.procedural.colour import mix, shift
from services.generator.providers.procedural.fields import Floats, Ints
from services.generator.providers.procedural.stage import Frame, Rng, Stage


def compose(stage: Stage) -> Frame:
    """The draft says which thread lies on top; in a film light runs over the cloth and the cloth is woven up."""
    rng = stage.rng("weave")
    threads = 84 if stage.fine else 72
    across = round(threads * stage.width / stage.side)
    down = round(threads * stage.height / stage.side)
    draft = _draft(stage, rng, across, down)
    colours = _colours(stage, rng)
    cloth = _cloth(stage, draft, colours, across, down)
    fold = noise.resize(noise.clouds(rng, 64, 64, 3.2, 1.0, 0.8), stage.width, stage.height)
    slope = np.gradient(fold, axis=1).astype(np.float32) * np.float32(stage.width / 9)
    x, y = stage.grid()

    def frame(moment: float) -> Floats:
        angle = stage.turns(moment, 6.0)
        sway = np.float32(np.sin(angle))
        light = 1.0 + np.clip(slope * (0.8 + 0.2 * sway), -1.2, 1.2) * np.float32(0.13)
        gleam = np.exp(-(((x + y * 0.5 - np.float32(0.6 + 0.7 * np.sin(angle))) / 0.3) ** 2))
        light += gleam * np.float32(0.09)
        lit: Floats = cloth * light
        return lit

    return frame


def _draft(stage: Stage, rng: Rng, across: int, down: int) -> Ints:
    """The colour number of each knot: bands of motifs, mirrored about the middle."""
    columns = np.abs(np.arange(across) - (across - 1) / 2)[None]
    draft = np.zeros((down, across), np.int32)
    centre = (down - 1) / 2
    row, turn = 0, 0
    order = [int(v) for v in rng.permutation(4)]
    heights = [int(v) for v in rng.choice([12, 16, 20], 4)]
    while row <= centre + 1:
        motif, tall = order[turn % 4], heights[turn % 4]
        rows = np.arange(row, row + tall)[:, None]
        band = _MOTIFS[motif](rows - row, columns, tall, turn)
        for offset, line in enumerate(band):
            for place in _both(centre, row + offset):
                if 0 <= place < down:
                    draft[place] = line
        row += tall
        for line in range(3):
            for place in _both(centre, row + line):
                if 0 <= place < down:
                    draft[place] = (5, (turn % 4) + 1, 5)[line]
        row += 3
        turn += 1
    edge = columns > (across - 1) / 2 - 5
    stripe = (np.arange(down)[:, None] // 3 % 2 == 0) & edge
    draft = np.where(edge, 0, draft)
    return np.where(stripe, 5, draft).astype(np.int32)


def _both(centre: float, away: int) -> set[int]:
    """The rows at a distance above and below the middle."""
    return {math.floor(centre) - away, math.ceil(centre) + away}


def _diamonds(y: Ints, x: NDArray[np.float64], tall: int, turn: int) -> Ints:
    half = tall / 2
    cell = np.abs((x + half) % (2 * half) - half)
    ring = np.abs(y - half + 0.5) + cell
    steps = (ring / 2.6).astype(np.int32)
    return np.where(ring > half + 1.5, turn % 2 * 4, (steps + turn) % 4 + 1).astype(np.int32)


def _zigzag(y: Ints, x: NDArray[np.float64], tall: int, turn: int) -> Ints:
    wave = np.abs((x % 12) - 6)
    made: Ints = (((y + wave) / 4).astype(np.int32) + turn) % 5
    return made


def _steps(y: Ints, x: NDArray[np.float64], tall: int, turn: int) -> Ints:
    pyramid = np.abs((x % 18) - 9) // 2 * 2
    level = y // 2 * 2
    inside = level < tall - 2 - pyramid * 1.15
    core = (level < tall - 7 - pyramid * 1.15) & (level > 2)
    return np.where(core, 3, np.where(inside, 1 + turn % 3, 0)).astype(np.int32)


def _hooks(y: Ints, x: NDArray[np.float64], tall: int, turn: int) -> Ints:
    cx, cy = np.abs((x % 22) - 11), np.abs(y - tall / 2 + 0.5)
    cross = ((cx < 1.5) | (cy < 1.5)) & (cx + cy < tall / 2 + 1)
    box = np.maximum(cx, cy)
    frame = (box > tall / 2 - 3.5) & (box < tall / 2 - 1.5) & ((cx > 3) | (cy > 3))
    return np.where(cross, 2, np.where(frame, 4, np.where(cx > tall / 2, 1, 0))).astype(np.int32)


_MOTIFS = (_diamonds, _zigzag, _steps, _hooks)


def _colours(stage: Stage, rng: Rng) -> NDArray[np.float32]:
    palette = stage.palette
    order = rng.permutation(5)
    accents = [palette.accents[i] for i in order]
    cloth = [
        mix(accents[0], palette.ink, 0.12),
        *[mix(a, palette.paper, 0.08) for a in accents[1:]],
        mix(palette.paper, accents[1], 0.12),
    ]
    return np.array([shift(c, chroma=0.92) for c in cloth], np.float32)


def _cloth(stage: Stage, draft: Ints, colours: NDArray[np.float32], across: int, down: int) -> Floats:
    """Every knot as a short length of yarn: round in section, twisted, over or under its neighbour."""
    rng = stage.rng("yarn")
    gx, gy = stage.grid()
    u, v = gx * np.float32(across), gy * np.float32(down)
    wander = noise.resize(noise.clouds(rng, 256, 256, 2.2, 4.0), stage.width, stage.height)
    u, v = u + wander * np.float32(0.055), v + wander * np.float32(0.07)
    column = np.clip(u.astype(np.int32), 0, across - 1)
    row = np.clip(v.astype(np.int32), 0, down - 1)
    fu, fv = u - np.floor(u), v - np.floor(v)
    over = ((column + row) & 1).astype(np.float32)
    # Weft lies across where it is on top; where it dives, the warp's shadow shows.
    section = np.sin(np.pi * fv) ** np.float32(0.6)
    bow = np.sin(np.pi * fu) ** np.float32(0.5)
    shade = np.float32(0.5) + np.float32(0.5) * section * (0.62 + 0.38 * bow * (0.55 + 0.45 * over))
    twist = np.sin((fu * 2.2 + fv * 1.1 + column * 0.37 + row * 0.73) * np.float32(2 * np.pi))
    shade *= 1.0 + twist * np.float32(0.055)
    light = rng.normal(1.0, 0.05, (down, 1)).astype(np.float32) * rng.normal(1.0, 0.03, (down, across)).astype(
        np.float32
    )
    abrash = noise.line(rng, down, 5, 3)[:, None] * np.float32(0.06)
    knot = draft * 1
    fuzz = noise.resize(noise.clouds(rng, 512, 512, 0.8, 20.0, 2.0), stage.width, stage.height)
    shade *= (light + abrash)[row, column]
    shade *= 1.0 + fuzz * np.float32(0.045)
    index = knot[row, column]
    return np.stack([np.take(colours[:, channel], index) * shade for channel in range(3)])
