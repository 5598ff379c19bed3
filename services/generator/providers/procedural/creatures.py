"""Animals face to face: one head drawn from a species' measures and coat."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.generator.providers.procedural import noise
from services.generator.providers.procedural.colour import Rgb, mix, rgb, shift
from services.generator.providers.procedural.pad import Pad, Patch, Points, mirrored, oval, smooth, stroke

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Species:
    """What tells one animal from another; colours as hex words."""

    coats: tuple[str, ...]
    belly: str
    ear: str
    ears: str = "pointed"
    head: str = "cat"
    muzzle: str = "cat"
    nose: str = "d98a8f"
    irises: tuple[str, ...] = ("d9a93a", "6fae5a", "5aa0c8")
    pupil: str = "slit"
    marks: tuple[str, ...] = ()
    eye: float = 1.0
    whiskers: bool = True


SPECIES: dict[str, Species] = {
    "cat": Species(("e8964a", "8d8f98", "d9b48a", "4a4650", "b9876a", "f0e6d8"), "fbf1e2", "f2b3a8", marks=("tabby",)),
    "tiger": Species(("ee8d35",), "fff4e4", "f0b49a", ears="round", marks=("tiger",), irises=("e0b040",), nose="c9706a"),
    "lion": Species(("dca556",), "f8e6c4", "c98d5a", ears="round", marks=("mane",), irises=("c98d2e",), pupil="round", nose="8a5045"),
    "dog": Species(("c98f56", "8a5c3c", "e2c08e", "5a4a44", "f0e2cc"), "fbefdc", "a06c46", "floppy", "dog", "dog", "2b2527",
                   ("6b4428",), "round", ("blaze",), 0.92, False),
    "fox": Species(("e2712e", "d4602a"), "fdf3e6", "3a2420", "tall", "fox", "fox", "2b2024", ("c98a2e",), "slit", ("mask",), 0.86),
    "wolf": Species(("8b919c", "6f7681"), "edeff2", "4a4d57", "tall", "fox", "fox", "25242a", ("e0b84a",), "round", ("mask",), 0.82, False),
    "rabbit": Species(("d8c3ab", "f4efe8", "a58f7c", "b9b3b5"), "fffaf2", "f2b8b4", "long", "rabbit", "rabbit", "e59a9a",
                      ("6b3f33", "7a3b46"), "round", (), 0.95),
    "bear": Species(("8b5e3c", "6e4a34", "a67c52"), "dcb78d", "5d3b28", "round", "bear", "bear", "2a2022", ("3a2618",), "round",
                    (), 0.66, False),
    "panda": Species(("f6f3ee",), "ffffff", "24242a", "round", "bear", "bear", "24242a", ("3a2618",), "round", ("panda",), 0.66, False),
    "koala": Species(("9aa0aa",), "eef0f2", "e9c9cc", "huge", "bear", "koala", "2b2a30", ("4a3323",), "round", (), 0.62, False),
    "mouse": Species(("b0a9ac", "cdb9a6"), "f6eeea", "f0b4b4", "huge", "fox", "rabbit", "e58f98", ("2a2226",), "round", (), 0.74),
    "owl": Species(("8a6a4c", "7a6a66", "b08a5c"), "f3e3c6", "5a4330", "tufts", "owl", "beak", "e9a93a", ("f2b632", "ee8a2a"),
                   "round", ("owl",), 1.5, False),
    "penguin": Species(("2c3444",), "fbfaf6", "2c3444", "none", "owl", "beak", "f2992e", ("2a2226",), "round", ("penguin",), 0.7, False),
}  # fmt: skip

_HEADS: dict[str, list[tuple[float, float]]] = {
    "cat": [
        (0, -0.405),
        (0.16, -0.385),
        (0.32, -0.30),
        (0.44, -0.13),
        (0.495, 0.06),
        (0.485, 0.17),
        (0.41, 0.28),
        (0.29, 0.36),
        (0.14, 0.415),
        (0, 0.42),
    ],
    "dog": [
        (0, -0.45),
        (0.16, -0.42),
        (0.31, -0.32),
        (0.40, -0.12),
        (0.40, 0.08),
        (0.34, 0.26),
        (0.25, 0.40),
        (0.13, 0.47),
        (0, 0.48),
    ],
    "fox": [
        (0, -0.375),
        (0.17, -0.35),
        (0.34, -0.265),
        (0.47, -0.08),
        (0.53, 0.10),
        (0.42, 0.22),
        (0.27, 0.33),
        (0.12, 0.43),
        (0, 0.455),
    ],
    "rabbit": [
        (0, -0.40),
        (0.14, -0.37),
        (0.28, -0.27),
        (0.39, -0.10),
        (0.43, 0.09),
        (0.40, 0.24),
        (0.29, 0.36),
        (0.14, 0.42),
        (0, 0.43),
    ],
    "bear": [
        (0, -0.46),
        (0.18, -0.425),
        (0.355, -0.31),
        (0.465, -0.12),
        (0.50, 0.10),
        (0.44, 0.28),
        (0.30, 0.40),
        (0.14, 0.45),
        (0, 0.455),
    ],
    "owl": [
        (0, -0.45),
        (0.18, -0.425),
        (0.35, -0.33),
        (0.455, -0.16),
        (0.48, 0.06),
        (0.45, 0.26),
        (0.36, 0.42),
        (0.18, 0.50),
        (0, 0.52),
    ],
}


@dataclass(frozen=True, slots=True)
class Look:
    """One animal of its species and how it feels at this moment."""

    species: Species
    coat: Rgb
    belly: Rgb
    ear: Rgb
    iris: Rgb
    light: Rgb
    blink: float = 0.0
    twitch: float = 0.0
    glance: float = 0.0


def choose(species: Species, rng: np.random.Generator, wanted: Rgb | None, light: Rgb) -> Look:
    """A coat and eyes by chance, the coat drawn to the wanted colour."""
    coat = rgb(species.coats[int(rng.integers(0, len(species.coats)))])
    if wanted is not None:
        coat = mix(coat, wanted, 0.8)
    iris = rgb(species.irises[int(rng.integers(0, len(species.irises)))])
    return Look(species, coat, rgb(species.belly), rgb(species.ear), iris, light)


def draw(pad: Pad, look: Look, covered_eyes: bool, fur: Floats) -> None:
    """The animal from back to front: mane, body, ears, head, marks, face."""
    if "mane" in look.species.marks:
        _mane(pad, look)
    _body(pad, look, fur)
    _EARS[look.species.ears](pad, look)
    head = pad.fill(
        smooth(mirrored(_HEADS[look.species.head])), shift(look.coat, light=0.03), to=shift(look.coat, light=-0.06)
    )
    if head is None:
        return
    _fur(pad, head, fur)
    for mark in look.species.marks:
        if mark in _MARKS:
            _MARKS[mark](pad, look, head)
    _volume(pad, head, look)
    if not covered_eyes:
        for side in (-1.0, 1.0):
            _eye(pad, look, side)
    _MUZZLES[look.species.muzzle](pad, look, head)


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
    half = [(0, 0.22), (0.22, 0.26), (0.40, 0.46), (0.54, 0.78), (0.60, 1.2), (0.62, 3.0), (0, 3.0)]
    outline = smooth(mirrored(half), 8)
    dark = look.coat if "panda" not in look.species.marks else (0.15, 0.15, 0.17)
    body = pad.fill(outline, shift(dark, light=-0.07), to=shift(dark, light=-0.13))
    if body is not None:
        _fur(pad, body, fur)
    if "panda" not in look.species.marks:
        chest = [(0, 0.34), (0.15, 0.40), (0.26, 0.60), (0.29, 0.9), (0.26, 1.4), (0.2, 3.0), (0, 3.0)]
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


def _ear_pair(
    pad: Pad,
    look: Look,
    outer: list[tuple[float, float]],
    inner: list[tuple[float, float]],
    tint: Rgb,
    twitch: float = 1.0,
) -> None:
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
    outer = [
        (0.08, -0.33),
        (0.20, -0.53),
        (0.345, -0.715),
        (0.385, -0.725),
        (0.41, -0.69),
        (0.465, -0.44),
        (0.475, -0.10),
        (0.25, -0.12),
    ]
    inner = [(0.17, -0.36), (0.25, -0.50), (0.355, -0.63), (0.38, -0.62), (0.415, -0.42), (0.41, -0.20), (0.26, -0.24)]
    _ear_pair(pad, look, outer, inner, look.ear)


def _tall(pad: Pad, look: Look) -> None:
    outer = [
        (0.07, -0.28),
        (0.16, -0.52),
        (0.315, -0.80),
        (0.355, -0.81),
        (0.385, -0.77),
        (0.455, -0.46),
        (0.47, -0.08),
        (0.25, -0.10),
    ]
    inner = [(0.16, -0.32), (0.22, -0.50), (0.325, -0.69), (0.35, -0.69), (0.40, -0.44), (0.40, -0.20), (0.25, -0.22)]
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
    outer = [(0.05, -0.30), (0.06, -0.62), (0.13, -0.98), (0.21, -1.10), (0.29, -1.00), (0.31, -0.66), (0.28, -0.26)]
    inner = [
        (0.115, -0.36),
        (0.12, -0.64),
        (0.175, -0.94),
        (0.215, -0.99),
        (0.25, -0.90),
        (0.255, -0.62),
        (0.23, -0.32),
    ]
    _ear_pair(pad, look, outer, inner, look.ear)


def _tufts(pad: Pad, look: Look) -> None:
    outer = [(0.12, -0.36), (0.27, -0.47), (0.46, -0.66), (0.47, -0.42), (0.46, -0.16), (0.28, -0.22)]
    inner = [(0.24, -0.38), (0.33, -0.45), (0.42, -0.55), (0.42, -0.40), (0.38, -0.28)]
    _ear_pair(pad, look, outer, inner, look.ear, 0.5)


def _none(pad: Pad, look: Look) -> None:
    """A round head without ears."""


_EARS: dict[str, Callable[[Pad, Look], None]] = {
    "pointed": _pointed, "tall": _tall, "round": _round, "huge": _huge, "floppy": _floppy, "long": _long, "tufts": _tufts, "none": _none,
}  # fmt: skip


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
            smooth(
                [
                    (side * 0.12, -0.2),
                    (side * 0.22, -0.27),
                    (side * 0.33, -0.2),
                    (side * 0.3, -0.1),
                    (side * 0.2, -0.13),
                ]
            ),
            look.belly,
            alpha=0.9,
            soft=0.012,
        )
        pad.fill(
            smooth([(side * 0.5, 0.05), (side * 0.3, 0.1), (side * 0.24, 0.3), (side * 0.42, 0.4)]),
            look.belly,
            alpha=0.9,
            soft=0.03,
            within=head,
        )
        for y, reach in ((-0.2, 0.33), (-0.06, 0.38), (0.08, 0.33), (0.2, 0.34), (0.3, 0.3)):
            pad.fill(
                stroke([(side * 0.56, y - 0.05), (side * 0.46, y), (side * reach, y + 0.02)], 0.055), dark, within=head
            )
    for y, wide in ((-0.37, 0.16), (-0.29, 0.13), (-0.21, 0.08)):
        pad.fill(stroke([(-wide, y - 0.03), (0, y + 0.025), (wide, y - 0.03)], 0.045), dark, within=head)


def _mask(pad: Pad, look: Look, head: Patch) -> None:
    for side in (-1.0, 1.0):
        cheek = [
            (side * 0.03, 0.0),
            (side * 0.14, 0.1),
            (side * 0.3, 0.08),
            (side * 0.56, 0.06),
            (side * 0.42, 0.28),
            (side * 0.2, 0.45),
            (0.0, 0.5),
            (side * 0.02, 0.2),
        ]
        pad.fill(smooth(cheek), look.belly, to=shift(look.belly, light=-0.07), within=head, soft=0.008)
        brow = [(side * 0.1, -0.14), (side * 0.17, -0.2), (side * 0.25, -0.16), (side * 0.18, -0.125)]
        pad.fill(smooth(brow), look.belly, alpha=0.8, soft=0.006)


def _blaze(pad: Pad, look: Look, head: Patch) -> None:
    half = [(0, -0.40), (0.045, -0.30), (0.06, -0.10), (0.10, 0.08), (0.20, 0.2), (0.26, 0.34), (0.18, 0.5), (0, 0.52)]
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
        smooth([(0, -0.1), (-0.1, -0.26), (-0.3, -0.4), (0, -0.3), (0.3, -0.4), (0.1, -0.26)]),
        shift(look.coat, light=-0.05),
        within=head,
    )


def _penguin(pad: Pad, look: Look, head: Patch) -> None:
    half = [(0, -0.12), (0.1, -0.25), (0.26, -0.24), (0.37, -0.06), (0.36, 0.2), (0.26, 0.4), (0.1, 0.5), (0, 0.52)]
    pad.fill(smooth(mirrored(half)), look.belly, to=shift(look.belly, light=-0.06), within=head)
    for side in (-1.0, 1.0):
        pad.fill(oval(side * 0.27, 0.13, 0.07, 0.045), (0.98, 0.66, 0.6), alpha=0.6, soft=0.015)


_MARKS: dict[str, Callable[[Pad, Look, Patch], None]] = {
    "tabby": _tabby, "tiger": _tiger, "mask": _mask, "blaze": _blaze, "panda": _panda, "owl": _owl, "penguin": _penguin,
}  # fmt: skip


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
        smooth([(-0.1, 0.1), (0.1, 0.1), (0.13, 0.25), (0.08, 0.39), (-0.08, 0.39), (-0.13, 0.25)]),
        shift(look.belly, light=0.02),
        to=shift(look.belly, light=-0.06),
        soft=0.015,
    )
    _nose(pad, rgb(look.species.nose), 0.25, 0.062)
    _mouth(pad, 0.335, 0.1, mix(look.coat, (0.12, 0.08, 0.1), 0.85))


def _dog_muzzle(pad: Pad, look: Look, head: Patch) -> None:
    pad.fill(oval(0, 0.27, 0.215, 0.185), look.belly, to=shift(look.belly, light=-0.08), soft=0.01)
    tongue: Rgb = (0.93, 0.48, 0.5)
    pad.fill(
        smooth([(-0.06, 0.33), (0.06, 0.33), (0.07, 0.43), (0, 0.485), (-0.07, 0.43)]),
        tongue,
        to=shift(tongue, light=-0.08),
    )
    pad.fill(stroke([(0, 0.35), (0, 0.42)], 0.01, curved=False), shift(tongue, light=-0.16))
    _nose(pad, rgb(look.species.nose), 0.165, 0.082)
    _mouth(pad, 0.29, 0.15, (0.2, 0.12, 0.12))


def _rabbit_muzzle(pad: Pad, look: Look, head: Patch) -> None:
    for side in (-1.0, 1.0):
        pad.fill(oval(side * 0.085, 0.205, 0.115, 0.09), look.belly, to=shift(look.belly, light=-0.05), soft=0.01)
        pad.fill(oval(side * 0.27, 0.2, 0.075, 0.05), (0.98, 0.6, 0.58), alpha=0.35, soft=0.025)
    pad.fill(
        smooth([(-0.035, 0.25), (0.035, 0.25), (0.033, 0.315), (-0.033, 0.315)]),
        (1.0, 0.99, 0.96),
        to=(0.92, 0.9, 0.86),
    )
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
        smooth(mirrored([(0, -0.06), (0.06, -0.05), (0.1, 0.05), (0.105, 0.17), (0.06, 0.235), (0, 0.245)])),
        shift(nose, light=0.08),
        to=nose,
    )
    pad.fill(oval(-0.03, 0.0, 0.03, 0.05), (1.0, 1.0, 1.0), alpha=0.25, soft=0.012)
    _mouth(pad, 0.3, 0.09, (0.2, 0.18, 0.2))


def _beak(pad: Pad, look: Look, head: Patch) -> None:
    tint = rgb(look.species.nose)
    pad.fill(
        smooth(mirrored([(0, 0.06), (0.06, 0.08), (0.085, 0.14), (0.04, 0.215), (0, 0.26)])),
        shift(tint, light=0.03),
        to=shift(tint, light=-0.12),
    )
    pad.fill(stroke([(-0.06, 0.15), (0, 0.175), (0.06, 0.15)], 0.012), shift(tint, light=-0.25), alpha=0.7)


_MUZZLES: dict[str, Callable[[Pad, Look, Patch], None]] = {
    "cat": _cat_muzzle, "fox": _fox_muzzle, "dog": _dog_muzzle, "rabbit": _rabbit_muzzle, "bear": _bear_muzzle,
    "koala": _koala_muzzle, "beak": _beak,
}  # fmt: skip

__all__ = ["SPECIES", "Look", "Points", "Species", "choose", "draw"]
