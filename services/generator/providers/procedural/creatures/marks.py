"""Marks of the coat: stripes, masks, discs."""

from collections.abc import Callable

import numpy as np

from services.generator.providers.procedural.colour import Rgb, mix, shift
from services.generator.providers.procedural.creatures.species import Look
from services.generator.providers.procedural.pad import Pad, Patch, mirrored, oval, path, smooth, stroke


def _tabby(pad: Pad, look: Look, head: Patch) -> None:
    dark = shift(mix(look.coat, (0.25, 0.15, 0.1), 0.25), light=-0.1)
    for x, top, low, width in ((0.0, -0.44, -0.2, 0.05), (0.105, -0.43, -0.22, 0.045), (0.2, -0.4, -0.23, 0.04)):
        for side in (1.0,) if x == 0 else (-1.0, 1.0):
            pad.fill(
                stroke([(side * x * 1.25, top), (side * x, (top + low) / 2), (side * x * 0.8, low)], width),
                dark,
                alpha=0.8,
                within=head,
            )
    for side in (-1.0, 1.0):
        for y, reach in ((0.07, 0.30), (0.16, 0.315), (0.25, 0.27)):
            line = [(side * 0.55, y - 0.03), (side * (0.55 + reach) / 2, y), (side * reach, y + 0.015)]
            pad.fill(stroke(line, 0.036), dark, alpha=0.75, within=head)


def _tiger(pad: Pad, look: Look, head: Patch) -> None:
    dark: Rgb = (0.13, 0.09, 0.09)
    for side in (-1.0, 1.0):
        pad.fill(
            smooth(path("0.12,-0.2 0.22,-0.27 0.33,-0.2 0.3,-0.1 0.2,-0.13", side)), look.belly, alpha=0.9, soft=0.012
        )
        pad.fill(
            smooth(path("0.5,0.05 0.3,0.1 0.24,0.3 0.42,0.4", side)), look.belly, alpha=0.9, soft=0.03, within=head
        )
        for y, reach in ((-0.2, 0.33), (-0.06, 0.38), (0.08, 0.33), (0.2, 0.34), (0.3, 0.3)):
            pad.fill(
                stroke([(side * 0.56, y - 0.05), (side * 0.46, y), (side * reach, y + 0.02)], 0.055), dark, within=head
            )
    for y, wide in ((-0.37, 0.16), (-0.29, 0.13), (-0.21, 0.08)):
        pad.fill(stroke([(-wide, y - 0.03), (0, y + 0.025), (wide, y - 0.03)], 0.045), dark, within=head)


def _mask(pad: Pad, look: Look, head: Patch) -> None:
    for side in (-1.0, 1.0):
        cheek = path("0.03,0 0.14,0.1 0.3,0.08 0.56,0.06 0.42,0.28 0.2,0.45 0,0.5 0.02,0.2", side)
        pad.fill(smooth(cheek), look.belly, to=shift(look.belly, light=-0.07), within=head, soft=0.008)
        brow = path("0.1,-0.14 0.17,-0.2 0.25,-0.16 0.18,-0.125", side)
        pad.fill(smooth(brow), look.belly, alpha=0.8, soft=0.006)


def _blaze(pad: Pad, look: Look, head: Patch) -> None:
    half = path("0,-0.4 0.045,-0.3 0.06,-0.1 0.1,0.08 0.2,0.2 0.26,0.34 0.18,0.5 0,0.52")
    pad.fill(smooth(mirrored(half)), look.belly, within=head, soft=0.012)


def _panda(pad: Pad, look: Look, head: Patch) -> None:
    for side in (-1.0, 1.0):
        pad.fill(oval(side * 0.215, 0.0, 0.13, 0.165, side * 0.5), (0.13, 0.13, 0.15), within=head, soft=0.008)


def _owl(pad: Pad, look: Look, head: Patch) -> None:
    for side in (-1.0, 1.0):
        disc = oval(side * 0.2, -0.02, 0.255, 0.27)
        pad.fill(disc, shift(look.belly, light=-0.02), to=shift(look.belly, light=-0.12), within=head)
        for ray in range(26):
            way = 2 * np.pi * ray / 26
            far = np.array([np.cos(way), np.sin(way)])
            line = [tuple(far * 0.16 + (side * 0.2, -0.02)), tuple(far * 0.245 + (side * 0.2, -0.02))]
            pad.fill(stroke(line, 0.012, curved=False), look.coat, alpha=0.45, within=head)
    pad.fill(
        smooth(path("0,-0.1 -0.1,-0.26 -0.3,-0.4 0,-0.3 0.3,-0.4 0.1,-0.26")),
        shift(look.coat, light=-0.05),
        within=head,
    )


def _penguin(pad: Pad, look: Look, head: Patch) -> None:
    half = path("0,-0.12 0.1,-0.25 0.26,-0.24 0.37,-0.06 0.36,0.2 0.26,0.4 0.1,0.5 0,0.52")
    pad.fill(smooth(mirrored(half)), look.belly, to=shift(look.belly, light=-0.06), within=head)
    for side in (-1.0, 1.0):
        pad.fill(oval(side * 0.27, 0.13, 0.07, 0.045), (0.98, 0.66, 0.6), alpha=0.6, soft=0.015)


MARKS: dict[str, Callable[[Pad, Look, Patch], None]] = {
    "tabby": _tabby,
    "tiger": _tiger,
    "mask": _mask,
    "blaze": _blaze,
    "panda": _panda,
    "owl": _owl,
    "penguin": _penguin,
}
