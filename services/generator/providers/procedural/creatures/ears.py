"""Ears, by their kind."""

from collections.abc import Callable

import numpy as np

from services.generator.providers.procedural.colour import Rgb, mix, shift
from services.generator.providers.procedural.creatures.species import Look
from services.generator.providers.procedural.fields import Points
from services.generator.providers.procedural.pad import Pad, oval, path, smooth


def _ear_pair(pad: Pad, look: Look, outer: Points, inner: Points, tint: Rgb, twitch: float = 1.0) -> None:
    for side in (-1.0, 1.0):
        turn = look.twitch * 0.16 * twitch if side > 0 else 0.0
        for outline, colour, low in (
            (outer, look.coat, shift(look.coat, light=-0.1)),
            (inner, tint, shift(tint, light=-0.12)),
        ):
            points = np.asarray(outline) * [side, 1.0]
            root = np.array([0.3 * side, -0.28])
            turned = (points - root) @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]).T + root
            pad.fill(smooth(turned), shift(colour, light=0.01), to=low)


def _pointed(pad: Pad, look: Look) -> None:
    outer = path("0.08,-0.33 0.2,-0.53 0.345,-0.715 0.385,-0.725 0.41,-0.69 0.465,-0.44 0.475,-0.1 0.25,-0.12")
    inner = path("0.17,-0.36 0.25,-0.5 0.355,-0.63 0.38,-0.62 0.415,-0.42 0.41,-0.2 0.26,-0.24")
    _ear_pair(pad, look, outer, inner, look.ear)


def _tall(pad: Pad, look: Look) -> None:
    outer = path("0.07,-0.28 0.16,-0.52 0.315,-0.8 0.355,-0.81 0.385,-0.77 0.455,-0.46 0.47,-0.08 0.25,-0.1")
    inner = path("0.16,-0.32 0.22,-0.5 0.325,-0.69 0.35,-0.69 0.4,-0.44 0.4,-0.2 0.25,-0.22")
    _ear_pair(pad, look, outer, inner, mix(look.ear, look.coat, 0.12))


def _round(pad: Pad, look: Look) -> None:
    _round_ears(pad, look, (0.36, -0.36), 0.165)


def _huge(pad: Pad, look: Look) -> None:
    _round_ears(pad, look, (0.47, -0.33), 0.27)


def _round_ears(pad: Pad, look: Look, place: tuple[float, float], size: float) -> None:
    dark = look.ear if "panda" in look.species.marks else look.coat
    for side in (-1.0, 1.0):
        grown = size * (1 + 0.05 * look.twitch * (side > 0))
        pad.fill(oval(side * place[0], place[1], grown, grown), shift(dark, light=0.02), to=shift(dark, light=-0.1))
        pad.fill(
            oval(side * place[0] * 0.98, place[1] + 0.02, size * 0.62, size * 0.62),
            look.ear,
            to=shift(look.ear, light=-0.1),
        )


def _floppy(pad: Pad, look: Look) -> None:
    dark = mix(look.coat, look.ear, 0.75)
    for side in (-1.0, 1.0):
        lift = 0.03 * look.twitch * (side > 0)
        half = [
            (0.20, -0.41),
            (0.38, -0.43 - lift),
            (0.52, -0.28 - lift),
            (0.60, 0.02),
            (0.575, 0.24 - lift),
            (0.48, 0.29),
            (0.40, 0.12),
            (0.36, -0.12),
        ]
        pad.fill(smooth(np.asarray(half) * [side, 1.0]), shift(dark, light=0.01), to=shift(dark, light=-0.1))


def _long(pad: Pad, look: Look) -> None:
    outer = path("0.05,-0.3 0.06,-0.62 0.13,-0.98 0.21,-1.1 0.29,-1 0.31,-0.66 0.28,-0.26")
    inner = path("0.115,-0.36 0.12,-0.64 0.175,-0.94 0.215,-0.99 0.25,-0.9 0.255,-0.62 0.23,-0.32")
    _ear_pair(pad, look, outer, inner, look.ear)


def _tufts(pad: Pad, look: Look) -> None:
    outer = path("0.12,-0.36 0.27,-0.47 0.46,-0.66 0.47,-0.42 0.46,-0.16 0.28,-0.22")
    inner = path("0.24,-0.38 0.33,-0.45 0.42,-0.55 0.42,-0.4 0.38,-0.28")
    _ear_pair(pad, look, outer, inner, look.ear, 0.5)


def _none(pad: Pad, look: Look) -> None:
    """A round head without ears."""


EARS: dict[str, Callable[[Pad, Look], None]] = {
    "pointed": _pointed,
    "tall": _tall,
    "round": _round,
    "huge": _huge,
    "floppy": _floppy,
    "long": _long,
    "tufts": _tufts,
    "none": _none,
}
