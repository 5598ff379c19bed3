"""One animal, drawn from back to front."""

import numpy as np

from services.generator.providers.procedural import noise
from services.generator.providers.procedural.colour import Rgb, mix, shift
from services.generator.providers.procedural.creatures.ears import EARS
from services.generator.providers.procedural.creatures.marks import MARKS
from services.generator.providers.procedural.creatures.muzzles import MUZZLES
from services.generator.providers.procedural.creatures.species import HEADS, Look
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.pad import Pad, Patch, mirrored, oval, path, smooth, stroke


def draw(pad: Pad, look: Look, covered_eyes: bool, fur: Floats) -> None:
    """The animal from back to front: mane, body, ears, head, marks, face."""
    if "mane" in look.species.marks:
        _mane(pad, look)
    _body(pad, look, fur)
    EARS[look.species.ears](pad, look)
    head = pad.fill(
        smooth(mirrored(HEADS[look.species.head])), shift(look.coat, light=0.03), to=shift(look.coat, light=-0.06)
    )
    if head is None:
        return
    _fur(pad, head, fur)
    for mark in look.species.marks:
        if mark in MARKS:
            MARKS[mark](pad, look, head)
    _volume(pad, head, look)
    if not covered_eyes:
        for side in (-1.0, 1.0):
            _eye(pad, look, side)
    MUZZLES[look.species.muzzle](pad, look, head)


def _fur(pad: Pad, patch: Patch, fur: Floats) -> None:
    """Fine hair that radiates from the nose."""
    x, y = pad.places(patch)
    y = y - np.float32(0.08)
    angle = np.arctan2(y, x) * np.float32(128 / np.pi)
    far = np.sqrt(x * x + y * y) * np.float32(60)
    hair = noise.sample_smooth(fur, far, angle * 3)
    pad.shade(patch, 1.0 + hair * np.float32(0.045))


def _volume(pad: Pad, head: Patch, look: Look) -> None:
    """Light from above on one side, shade below on the other."""
    x, y = pad.places(head)
    lit = np.exp(-((x + 0.16) ** 2 + (y + 0.22) ** 2) * 9).astype(np.float32)
    pad.lay(Patch(head.left, head.top, head.mask * lit * np.float32(0.28)), look.light)
    edge = np.clip(((x - 0.05) ** 2 / 0.30 + (y + 0.02) ** 2 / 0.22) - 0.5, 0, 1).astype(np.float32)
    pad.lay(Patch(head.left, head.top, head.mask * edge * np.float32(0.55)), shift(look.coat, light=-0.2))


def _body(pad: Pad, look: Look, fur: Floats) -> None:
    half = path("0,0.22 0.22,0.26 0.4,0.46 0.54,0.78 0.6,1.2 0.62,3 0,3")
    outline = smooth(mirrored(half), 8)
    dark = look.coat if "panda" not in look.species.marks else (0.15, 0.15, 0.17)
    body = pad.fill(outline, shift(dark, light=-0.07), to=shift(dark, light=-0.13))
    if body is not None:
        _fur(pad, body, fur)
    if "panda" not in look.species.marks:
        chest = path("0,0.34 0.15,0.4 0.26,0.6 0.29,0.9 0.26,1.4 0.2,3 0,3")
        pad.fill(
            smooth(mirrored(chest), 8),
            shift(look.belly, light=-0.05),
            to=shift(look.belly, light=-0.14),
            soft=0.03,
            within=body,
        )
        for row, count in ((0.52, 3), (0.68, 4), (0.86, 3)):
            for i in range(count):
                x = (i - (count - 1) / 2) * 0.1
                pad.fill(
                    stroke([(x, row), (x + 0.012, row + 0.05), (x, row + 0.1)], 0.014),
                    shift(look.belly, light=-0.13),
                    alpha=0.6,
                )
    pad.fill(oval(0, 0.4, 0.4, 0.12), shift(dark, light=-0.28), alpha=0.5, soft=0.05, within=body)


def _mane(pad: Pad, look: Look) -> None:
    dark = mix(look.coat, (0.42, 0.2, 0.08), 0.62)
    for ring, (reach, light) in enumerate(((0.80, -0.06), (0.70, 0.0), (0.60, 0.05))):
        for lock in range(26):
            way = 2 * np.pi * (lock + 0.5 * ring) / 26
            sway = 0.05 * look.twitch * np.sin(way * 3)
            x, y = np.cos(way + sway), np.sin(way + sway) * 0.98
            pad.fill(
                oval(x * reach * 0.68, y * reach * 0.68 + 0.02, 0.22, 0.12, float(way)),
                shift(dark, light=light + 0.02 * (lock % 2)),
            )


def _eye(pad: Pad, look: Look, side: float) -> None:
    size = 0.118 * look.species.eye
    x, y = side * 0.205, -0.015 + (0.03 if look.species.head == "dog" else 0.0)
    dark: Rgb = (0.08, 0.06, 0.07)
    if look.blink > 0.85:
        pad.fill(stroke([(x - size, y), (x, y + size * 0.45), (x + size, y)], 0.024), dark)
        return
    open_ = 1.0 - look.blink
    pad.fill(oval(x, y, size * 1.1, size * open_ * 1.06, side * 0.12), dark)
    iris = pad.fill(
        oval(x, y, size * 0.98, size * 0.94 * open_, side * 0.12),
        shift(look.iris, light=-0.12),
        to=shift(look.iris, light=0.12),
    )
    gaze = look.glance * size * 0.25
    wide = size * (0.34 if look.species.pupil == "slit" else 0.62)
    pad.fill(oval(x + gaze, y, wide, size * 0.84), dark, within=iris)
    pad.fill(
        oval(x - size * 0.3 + gaze * 0.5, y - size * 0.36 * open_, size * 0.25, size * 0.25 * open_),
        (1.0, 1.0, 1.0),
        within=iris,
    )
    pad.fill(
        oval(x + size * 0.34, y + size * 0.4 * open_, size * 0.12, size * 0.12 * open_),
        (1.0, 1.0, 1.0),
        alpha=0.6,
        within=iris,
    )
