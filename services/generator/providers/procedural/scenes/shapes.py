"""Geometry at rest: discs, arcs, bars and grids in a measured composition, on tinted paper."""

import numpy as np
from numpy.typing import NDArray

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.colour import Rgb, mix, shift
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.pad import Pad, oval, stroke
from services.generator.providers.procedural.stage import Frame, Rng, Stage


def compose(stage: Stage) -> Frame:
    """Shapes keep their balance while they turn slowly."""
    rng = stage.rng("shapes")
    palette = stage.palette
    ground = paint.plain(
        stage,
        mix(palette.paper, palette.accents[1], 0.08) if not palette.dark else mix(palette.ink, palette.sky[0], 0.4),
    )
    cloud = noise.resize(noise.clouds(rng, 128, 128, 2.4), stage.width, stage.height)
    fibre = noise.resize(noise.clouds(rng, 512, 512, 0.8, 10.0), stage.width, stage.height)
    ground *= 1.0 + np.float32(0.012) * cloud + np.float32(0.01) * fibre
    ink = palette.ink if not palette.dark else palette.paper
    tints = [palette.accents[i] for i in rng.permutation(5)]
    plan = _plan(stage, rng)

    def frame(moment: float) -> Floats:
        picture = ground.copy()
        pad = Pad(picture, (stage.width / 2, stage.height / 2), float(stage.side))
        angle = stage.turns(moment, 8.0)
        for number, (kind, x, y, size, turn) in enumerate(plan):
            drift = 0.012 * np.sin(angle + number * 1.7)
            _SHAPES[kind](
                pad.moved(x + drift, y - drift * 0.7, size),
                turn + 0.16 * np.sin(angle + number),
                tints[number % 5],
                ink,
            )
        return picture

    return frame


def _plan(stage: Stage, rng: Rng) -> list[tuple[str, float, float, float, float]]:
    """A large disc off the middle, a long diagonal, and smaller things that answer them."""
    wide, high = stage.width / stage.side, stage.height / stage.side
    side = float(rng.choice([-1, 1]))
    turn = float(rng.uniform(-0.35, 0.35))
    plan = [
        ("disc", side * 0.13 * wide, -0.1 * high, 0.3, turn),
        ("half", -side * 0.2 * wide, 0.2 * high, 0.24, turn + side * 0.8),
        ("bar", 0.0, 0.02 * high, 0.5 * float(np.hypot(wide, high)), turn - side * 0.72),
        ("rings", -side * 0.26 * wide, -0.22 * high, 0.15, turn),
        ("quarter", side * 0.28 * wide, 0.24 * high, 0.19, turn + 1.57 * float(rng.integers(0, 4))),
        ("grid", side * 0.3 * wide, -0.3 * high, 0.1, turn),
        ("triangle", -side * 0.04 * wide, 0.3 * high, 0.15, turn + 0.4),
        ("bars", -side * 0.33 * wide, 0.02 * high, 0.11, turn + 0.3),
        ("dot", side * 0.05 * wide, -0.33 * high, 0.04, turn),
        ("dot", -side * 0.12 * wide, 0.08 * high, 0.026, turn),
        ("arc", side * 0.06 * wide, 0.05 * high, 0.36, turn + 2.0),
    ]
    return [
        (k, x + rng.uniform(-0.03, 0.03), y + rng.uniform(-0.03, 0.03), s * rng.uniform(0.85, 1.12), t)
        for k, x, y, s, t in plan
    ]


def _turned(points: NDArray[np.float64], turn: float) -> NDArray[np.float64]:
    made: NDArray[np.float64] = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return made


def _disc(pad: Pad, turn: float, tint: Rgb, ink: Rgb) -> None:
    pad.fill(oval(0.05, 0.07, 1.0, 1.0, steps=120), ink, alpha=0.16, soft=0.07)
    pad.fill(oval(0, 0, 1.0, 1.0, steps=120), shift(tint, light=0.03), to=shift(tint, light=-0.06))


def _half(pad: Pad, turn: float, tint: Rgb, ink: Rgb) -> None:
    way = np.linspace(0, np.pi, 60)
    pad.fill(_turned(np.stack([np.cos(way), np.sin(way)], 1), turn), tint, to=shift(tint, light=-0.05), alpha=0.94)


def _quarter(pad: Pad, turn: float, tint: Rgb, ink: Rgb) -> None:
    way = np.linspace(0, np.pi / 2, 40)
    for reach, colour in ((1.0, tint), (0.66, shift(tint, light=0.13)), (0.33, ink)):
        curve = np.concatenate([[[0.0, 0.0]], np.stack([np.cos(way), np.sin(way)], 1) * reach])
        pad.fill(_turned(curve - [0.4, 0.4], turn), colour)


def _bar(pad: Pad, turn: float, tint: Rgb, ink: Rgb) -> None:
    half = 0.011
    pad.fill(_turned(np.array([(-1.4, -half), (1.4, -half), (1.4, half), (-1.4, half)]), turn), ink)
    pad.fill(_turned(np.array([(-0.35, -0.06), (0.2, -0.06), (0.2, -0.03), (-0.35, -0.03)]), turn), tint)


def _rings(pad: Pad, turn: float, tint: Rgb, ink: Rgb) -> None:
    for ring in range(5):
        outer, inner = (
            oval(0, 0, 1 - 0.2 * ring, 1 - 0.2 * ring, steps=90),
            oval(0, 0, 0.93 - 0.2 * ring, 0.93 - 0.2 * ring, steps=90),
        )
        pad.fill(np.concatenate([outer, outer[:1], inner[:1], inner[::-1]]), ink if ring % 2 else tint)


def _grid(pad: Pad, turn: float, tint: Rgb, ink: Rgb) -> None:
    for row in range(5):
        for column in range(5):
            spot = _turned(np.array([[(column - 2) * 0.45, (row - 2) * 0.45]]), turn)[0]
            pad.fill(oval(float(spot[0]), float(spot[1]), 0.09, 0.09, steps=20), ink)


def _triangle(pad: Pad, turn: float, tint: Rgb, ink: Rgb) -> None:
    way = np.array([0, 1, 2]) * 2 * np.pi / 3 - np.pi / 2 + turn
    outer = np.stack([np.cos(way), np.sin(way)], 1)
    pad.fill(outer, tint, to=shift(tint, light=-0.08), alpha=0.92)


def _bars(pad: Pad, turn: float, tint: Rgb, ink: Rgb) -> None:
    for bar in range(5):
        y = (bar - 2) * 0.36
        long = 1.0 - 0.14 * bar
        pad.fill(
            _turned(
                np.array([(-1, y - 0.09), (-1 + 2 * long, y - 0.09), (-1 + 2 * long, y + 0.09), (-1, y + 0.09)]), turn
            ),
            tint if bar % 2 else ink,
        )


def _dot(pad: Pad, turn: float, tint: Rgb, ink: Rgb) -> None:
    pad.fill(oval(0, 0, 1, 1), ink)


def _arc(pad: Pad, turn: float, tint: Rgb, ink: Rgb) -> None:
    way = np.linspace(turn, turn + 2.1, 24)
    pad.fill(stroke(np.stack([np.cos(way), np.sin(way)], 1), 0.085, 0.9), tint)


_SHAPES = {
    "disc": _disc,
    "half": _half,
    "quarter": _quarter,
    "bar": _bar,
    "rings": _rings,
    "grid": _grid,
    "triangle": _triangle,
    "bars": _bars,
    "dot": _dot,
    "arc": _arc,
}
