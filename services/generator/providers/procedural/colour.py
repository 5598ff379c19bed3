"""Colour: hex words, ramps through OKLab, turning and tinting."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.generator.providers.procedural.fields import Floats

Rgb = tuple[float, float, float]

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def rgb(code: str) -> Rgb:
    """'#336699' as three fractions."""
    code = code.lstrip("#")
    return (int(code[0:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:6], 16) / 255)


def to_oklab(colours: Sequence[Rgb] | NDArray[np.float64]) -> NDArray[np.float64]:
    """sRGB rows as OKLab rows: equal steps look equal."""
    srgb = np.asarray(colours, dtype=np.float64)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    lab: NDArray[np.float64] = np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T
    return lab


def from_oklab(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """OKLab rows as sRGB rows, clipped to what a screen can show."""
    linear = ((np.asarray(lab) @ np.linalg.inv(_TO_LAB).T) ** 3) @ np.linalg.inv(_TO_LMS).T
    linear = np.clip(linear, 0.0, 1.0)
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.clip(srgb, 0.0, 1.0)


def ramp(stops: Sequence[Rgb], count: int = 1024, at: Sequence[float] | None = None) -> Floats:
    """A smooth way through the stops, as (3, count); `at` places the stops between 0 and 1."""
    lab = to_oklab(stops)
    places = np.linspace(0.0, 1.0, len(stops)) if at is None else np.asarray(at, dtype=np.float64)
    steps = np.linspace(0.0, 1.0, count)
    way = np.stack([np.interp(steps, places, lab[:, i]) for i in range(3)], axis=1)
    return np.ascontiguousarray(from_oklab(way).T, dtype=np.float32)


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """From one colour to the other through OKLab."""
    lab = to_oklab([one, other])
    return _rgb(from_oklab(lab[:1] * (1 - share) + lab[1:] * share))


def shift(colour: Rgb, light: float = 0.0, chroma: float = 1.0, turn: float = 0.0) -> Rgb:
    """Lighter or darker, more or less saturated, hue turned by a fraction of the circle."""
    lab = to_oklab([colour])
    angle = 2 * np.pi * turn
    a, b = lab[0, 1] * chroma, lab[0, 2] * chroma
    lab[0] = (lab[0, 0] + light, a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle))
    return _rgb(from_oklab(lab))


def lightness(colour: Rgb) -> float:
    return float(to_oklab([colour])[0, 0])


def hue_towards(colour: Rgb, goal: Rgb, share: float) -> Rgb:
    """The colour with its own lightness, its hue and chroma drawn towards those of `goal`."""
    lab = to_oklab([colour, goal])
    ab = lab[0, 1:] * (1 - share) + lab[1, 1:] * share
    kept = np.concatenate([lab[0, :1], ab])[None]
    return _rgb(from_oklab(kept))


def _rgb(row: NDArray[np.float64]) -> Rgb:
    return (float(row[0, 0]), float(row[0, 1]), float(row[0, 2]))
