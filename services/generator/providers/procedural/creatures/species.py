"""The species: measures, coats and names; one animal of them with the mood of a moment."""

from dataclasses import dataclass

import numpy as np

from services.generator.providers.procedural.colour import Rgb, mix, rgb
from services.generator.providers.procedural.fields import Points
from services.generator.providers.procedural.pad import path


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
    "tiger": Species(
        ("ee8d35",), "fff4e4", "f0b49a", ears="round", marks=("tiger",), irises=("e0b040",), nose="c9706a"
    ),
    "lion": Species(
        ("dca556",), "f8e6c4", "c98d5a", ears="round", marks=("mane",), irises=("c98d2e",), pupil="round", nose="8a5045"
    ),
    "dog": Species(
        ("c98f56", "8a5c3c", "e2c08e", "5a4a44", "f0e2cc"),
        "fbefdc",
        "a06c46",
        "floppy",
        "dog",
        "dog",
        "2b2527",
        ("6b4428",),
        "round",
        ("blaze",),
        0.92,
        False,
    ),
    "fox": Species(
        ("e2712e", "d4602a"), "fdf3e6", "3a2420", "tall", "fox", "fox", "2b2024", ("c98a2e",), "slit", ("mask",), 0.86
    ),
    "wolf": Species(
        ("8b919c", "6f7681"),
        "edeff2",
        "4a4d57",
        "tall",
        "fox",
        "fox",
        "25242a",
        ("e0b84a",),
        "round",
        ("mask",),
        0.82,
        False,
    ),
    "rabbit": Species(
        ("d8c3ab", "f4efe8", "a58f7c", "b9b3b5"),
        "fffaf2",
        "f2b8b4",
        "long",
        "rabbit",
        "rabbit",
        "e59a9a",
        ("6b3f33", "7a3b46"),
        "round",
        (),
        0.95,
    ),
    "bear": Species(
        ("8b5e3c", "6e4a34", "a67c52"),
        "dcb78d",
        "5d3b28",
        "round",
        "bear",
        "bear",
        "2a2022",
        ("3a2618",),
        "round",
        (),
        0.66,
        False,
    ),
    "panda": Species(
        ("f6f3ee",),
        "ffffff",
        "24242a",
        "round",
        "bear",
        "bear",
        "24242a",
        ("3a2618",),
        "round",
        ("panda",),
        0.66,
        False,
    ),
    "koala": Species(
        ("9aa0aa",), "eef0f2", "e9c9cc", "huge", "bear", "koala", "2b2a30", ("4a3323",), "round", (), 0.62, False
    ),
    "mouse": Species(
        ("b0a9ac", "cdb9a6"), "f6eeea", "f0b4b4", "huge", "fox", "rabbit", "e58f98", ("2a2226",), "round", (), 0.74
    ),
    "owl": Species(
        ("8a6a4c", "7a6a66", "b08a5c"),
        "f3e3c6",
        "5a4330",
        "tufts",
        "owl",
        "beak",
        "e9a93a",
        ("f2b632", "ee8a2a"),
        "round",
        ("owl",),
        1.5,
        False,
    ),
    "penguin": Species(
        ("2c3444",), "fbfaf6", "2c3444", "none", "owl", "beak", "f2992e", ("2a2226",), "round", ("penguin",), 0.7, False
    ),
}

HEADS: dict[str, Points] = {
    "cat": path(
        "0,-0.405 0.16,-0.385 0.32,-0.3 0.44,-0.13 0.495,0.06 0.485,0.17 0.41,0.28 0.29,0.36 0.14,0.415 0,0.42"
    ),
    "dog": path("0,-0.45 0.16,-0.42 0.31,-0.32 0.4,-0.12 0.4,0.08 0.34,0.26 0.25,0.4 0.13,0.47 0,0.48"),
    "fox": path("0,-0.375 0.17,-0.35 0.34,-0.265 0.47,-0.08 0.53,0.1 0.42,0.22 0.27,0.33 0.12,0.43 0,0.455"),
    "rabbit": path("0,-0.4 0.14,-0.37 0.28,-0.27 0.39,-0.1 0.43,0.09 0.4,0.24 0.29,0.36 0.14,0.42 0,0.43"),
    "bear": path("0,-0.46 0.18,-0.425 0.355,-0.31 0.465,-0.12 0.5,0.1 0.44,0.28 0.3,0.4 0.14,0.45 0,0.455"),
    "owl": path("0,-0.45 0.18,-0.425 0.35,-0.33 0.455,-0.16 0.48,0.06 0.45,0.26 0.36,0.42 0.18,0.5 0,0.52"),
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
