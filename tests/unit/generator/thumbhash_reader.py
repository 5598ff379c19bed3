"""Reads what a ThumbHash says, as a page does; only the parts that tests look at."""

import base64
from dataclasses import dataclass


@dataclass(frozen=True)
class Hashed:
    """The average colour (0 to 255), the shape, and whether something shows through."""

    average: tuple[float, float, float]
    landscape: bool
    see_through: bool
    ratio: float


def read_thumbhash(text: str) -> Hashed:
    """Read the header of a hash; follows the reference decoder (github.com/evanw/thumbhash)."""
    raw = base64.b64decode(text, validate=True)
    first, second = int.from_bytes(raw[:3], "little"), int.from_bytes(raw[3:5], "little")
    light = (first & 63) / 63
    yellow = ((first >> 6) & 63) / 31.5 - 1
    redness = ((first >> 12) & 63) / 31.5 - 1
    blue = light - 2 / 3 * yellow
    red = (3 * light - blue + redness) / 2
    landscape, see_through = bool(second >> 15), bool(first >> 23)
    most = 5 if see_through else 7
    across, down = (most, second & 7) if landscape else (second & 7, most)
    average = tuple(255 * max(0.0, min(1.0, value)) for value in (red, red - redness, blue))
    # Waves of brightness, then three by three of each colour, two to a byte.
    light_across, light_down = max(3, across), max(3, down)
    waves = sum(
        1
        for y in range(light_down)
        for x in range(light_across)
        if (x or y) and x * light_down < light_across * (light_down - y)
    )
    colours = 2 * sum(1 for y in range(3) for x in range(3) if (x or y) and x < 3 - y)
    opacity = sum(1 for y in range(5) for x in range(5) if (x or y) and x < 5 - y) if see_through else 0
    assert len(raw) == 5 + see_through + (waves + colours + opacity + 1) // 2, "not a hash of this shape"
    return Hashed((average[0], average[1], average[2]), landscape, see_through, across / down)
