"""Sizes in pixels to what providers take: a ratio, a tier, multiples of 16."""

from collections.abc import Iterable
from typing import Final

from contracts.abilities import distance

TIERS: Final = {"1K": 1_024, "2K": 2_048, "4K": 4_096}
"""Gemini's sizes: the side of a square of the same area, in pixels."""


def nearest_ratio(width: int, height: int, ratios: Iterable[str]) -> str:
    """Return the ratio (`16:9`) that is nearest in proportion."""
    return min(ratios, key=lambda ratio: distance(width, height, ratio))


def tier(width: int, height: int) -> str:
    """Return the smallest tier that has at least 0.64 of the pixels asked for (0.8 of each side)."""
    return next((name for name, side in TIERS.items() if side * side >= 0.64 * width * height), "4K")


def multiples_of(step: int, width: int, height: int) -> tuple[int, int]:
    """Round both sides to the nearest multiples."""
    return max(step, round(width / step) * step), max(step, round(height / step) * step)


def nearest_size(width: int, height: int, sizes: Iterable[str]) -> str:
    """Return the size (`1024x1536`) nearest in proportion."""
    return min(sizes, key=lambda size: distance(width, height, size.replace("x", ":")))
