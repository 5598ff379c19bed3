"""Muzzles, noses, mouths and beaks, by their kind."""

from collections.abc import Callable

from services.generator.providers.procedural.colour import Rgb, mix, rgb, shift
from services.generator.providers.procedural.creatures.species import Look
from services.generator.providers.procedural.pad import Pad, Patch, mirrored, oval, path, smooth, stroke


def _nose(pad: Pad, tint: Rgb, y: float, size: float) -> None:
    half = [
        (0, y - size * 0.55),
        (size * 0.7, y - size * 0.55),
        (size, y - size * 0.2),
        (size * 0.55, y + size * 0.4),
        (0, y + size * 0.72),
    ]
    pad.fill(smooth(mirrored(half)), shift(tint, light=0.04), to=shift(tint, light=-0.1))
    pad.fill(oval(-size * 0.25, y - size * 0.28, size * 0.35, size * 0.13), (1.0, 1.0, 1.0), alpha=0.4, soft=0.004)


def _mouth(pad: Pad, y: float, wide: float, tint: Rgb) -> None:
    pad.fill(stroke([(0, y - 0.06), (0, y - 0.03), (0, y)], 0.014, 0.6), tint)
    for side in (-1.0, 1.0):
        pad.fill(
            stroke([(0, y), (side * wide * 0.4, y + wide * 0.42), (side * wide, y + wide * 0.18)], 0.016, 0.4), tint
        )


def _cat_muzzle(pad: Pad, look: Look, head: Patch) -> None:
    line = mix(look.coat, (0.2, 0.1, 0.1), 0.75)
    pad.fill(oval(0, 0.315, 0.1, 0.075), shift(look.belly, light=-0.06), soft=0.012)
    for side in (-1.0, 1.0):
        pad.fill(
            oval(side * 0.092, 0.215, 0.128, 0.1, side * 0.2), look.belly, to=shift(look.belly, light=-0.06), soft=0.006
        )
    _nose(pad, rgb(look.species.nose), 0.135, 0.052)
    _mouth(pad, 0.215, 0.105, line)
    if look.species.whiskers:
        _whiskers(pad, look)


def _whiskers(pad: Pad, look: Look) -> None:
    tint = mix(look.belly, (1.0, 1.0, 1.0), 0.6)
    for side in (-1.0, 1.0):
        for row in range(3):
            lift = 0.03 * look.twitch
            line = [
                (side * 0.14, 0.2 + 0.03 * row),
                (side * 0.4, 0.14 + 0.06 * row - lift),
                (side * 0.66, 0.11 + 0.115 * row - lift),
            ]
            pad.fill(stroke(line, 0.011, 0.1), tint, alpha=0.9)
            pad.fill(
                oval(side * (0.075 + 0.045 * (row % 2)), 0.2 + 0.026 * row, 0.006, 0.006),
                mix(look.coat, (0.2, 0.1, 0.1), 0.5),
                alpha=0.7,
            )


def _fox_muzzle(pad: Pad, look: Look, head: Patch) -> None:
    pad.fill(
        smooth(path("-0.1,0.1 0.1,0.1 0.13,0.25 0.08,0.39 -0.08,0.39 -0.13,0.25")),
        shift(look.belly, light=0.02),
        to=shift(look.belly, light=-0.06),
        soft=0.015,
    )
    _nose(pad, rgb(look.species.nose), 0.25, 0.062)
    _mouth(pad, 0.335, 0.1, mix(look.coat, (0.12, 0.08, 0.1), 0.85))


def _dog_muzzle(pad: Pad, look: Look, head: Patch) -> None:
    pad.fill(oval(0, 0.27, 0.215, 0.185), look.belly, to=shift(look.belly, light=-0.08), soft=0.01)
    tongue: Rgb = (0.93, 0.48, 0.5)
    pad.fill(smooth(path("-0.06,0.33 0.06,0.33 0.07,0.43 0,0.485 -0.07,0.43")), tongue, to=shift(tongue, light=-0.08))
    pad.fill(stroke([(0, 0.35), (0, 0.42)], 0.01, curved=False), shift(tongue, light=-0.16))
    _nose(pad, rgb(look.species.nose), 0.165, 0.082)
    _mouth(pad, 0.29, 0.15, (0.2, 0.12, 0.12))


def _rabbit_muzzle(pad: Pad, look: Look, head: Patch) -> None:
    for side in (-1.0, 1.0):
        pad.fill(oval(side * 0.085, 0.205, 0.115, 0.09), look.belly, to=shift(look.belly, light=-0.05), soft=0.01)
        pad.fill(oval(side * 0.27, 0.2, 0.075, 0.05), (0.98, 0.6, 0.58), alpha=0.35, soft=0.025)
    pad.fill(smooth(path("-0.035,0.25 0.035,0.25 0.033,0.315 -0.033,0.315")), (1.0, 0.99, 0.96), to=(0.92, 0.9, 0.86))
    pad.fill(stroke([(0, 0.25), (0, 0.31)], 0.006, curved=False), (0.7, 0.66, 0.62))
    _nose(pad, rgb(look.species.nose), 0.13, 0.046)
    _mouth(pad, 0.205, 0.085, mix(look.coat, (0.25, 0.12, 0.12), 0.7))
    _whiskers(pad, look)


def _bear_muzzle(pad: Pad, look: Look, head: Patch) -> None:
    pad.fill(oval(0, 0.225, 0.205, 0.165), look.belly, to=shift(look.belly, light=-0.08), soft=0.008)
    _nose(pad, rgb(look.species.nose), 0.15, 0.078)
    _mouth(pad, 0.255, 0.1, (0.2, 0.13, 0.12))


def _koala_muzzle(pad: Pad, look: Look, head: Patch) -> None:
    pad.fill(oval(0, 0.32, 0.16, 0.08), look.belly, soft=0.02)
    nose = rgb(look.species.nose)
    pad.fill(
        smooth(mirrored(path("0,-0.06 0.06,-0.05 0.1,0.05 0.105,0.17 0.06,0.235 0,0.245"))),
        shift(nose, light=0.08),
        to=nose,
    )
    pad.fill(oval(-0.03, 0.0, 0.03, 0.05), (1.0, 1.0, 1.0), alpha=0.25, soft=0.012)
    _mouth(pad, 0.3, 0.09, (0.2, 0.18, 0.2))


def _beak(pad: Pad, look: Look, head: Patch) -> None:
    tint = rgb(look.species.nose)
    pad.fill(
        smooth(mirrored(path("0,0.06 0.06,0.08 0.085,0.14 0.04,0.215 0,0.26"))),
        shift(tint, light=0.03),
        to=shift(tint, light=-0.12),
    )
    pad.fill(stroke(path("-0.06,0.15 0,0.175 0.06,0.15"), 0.012), shift(tint, light=-0.25), alpha=0.7)


MUZZLES: dict[str, Callable[[Pad, Look, Patch], None]] = {
    "cat": _cat_muzzle,
    "fox": _fox_muzzle,
    "dog": _dog_muzzle,
    "rabbit": _rabbit_muzzle,
    "bear": _bear_muzzle,
    "koala": _koala_muzzle,
    "beak": _beak,
}
