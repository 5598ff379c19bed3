"""ThumbHash, the tiny placeholder of Evan Wallace (https://github.com/evanw/thumbhash, MIT), written anew for numpy.

About 25 bytes hold a blurred picture with its aspect ratio; pages decode them with the library of the same name.
"""

import base64

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 48
"""Pixels of the longer side that are looked at; the format allows 100, and it keeps seven waves a side at most."""

Channel = npt.NDArray[np.float64]


def thumbhash(image: Image.Image) -> str:
    """Return the hash of a picture in base64."""
    small = image.convert("RGBA")
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    width, height = small.size
    red, green, blue, alpha = np.asarray(small, dtype=np.float64).transpose(2, 0, 1) / 255
    see_through = bool((alpha < 1).any())
    if see_through:
        # What shows nothing takes the average colour of the rest.
        weight = alpha.sum() or 1.0
        red, green, blue = (
            channel * alpha + (channel * alpha).sum() / weight * (1 - alpha) for channel in (red, green, blue)
        )
    most = 5 if see_through else 7
    across = max(1, round(most * width / max(width, height)))
    down = max(1, round(most * height / max(width, height)))
    light = _waves((red + green + blue) / 3, max(3, across), max(3, down))
    yellow = _waves((red + green) / 2 - blue, 3, 3)
    redness = _waves(red - green, 3, 3)
    channels = [light, yellow, redness]
    landscape = width > height
    first = (
        round(63 * light[0])
        | round(31.5 + 31.5 * yellow[0]) << 6
        | round(31.5 + 31.5 * redness[0]) << 12
        | round(31 * light[2]) << 18
        | int(see_through) << 23
    )
    second = (
        (down if landscape else across)
        | round(63 * yellow[2]) << 3
        | round(63 * redness[2]) << 9
        | int(landscape) << 15
    )
    head = first.to_bytes(3, "little") + second.to_bytes(2, "little")
    if see_through:
        opacity = _waves(alpha, 5, 5)
        channels.append(opacity)
        head += bytes([round(15 * opacity[0]) | round(15 * opacity[2]) << 4])
    nibbles = [round(15 * wave) for channel in channels for wave in channel[1]]
    nibbles += [0] * (len(nibbles) % 2)
    body = bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))
    return base64.b64encode(head + body).decode()


def _waves(channel: Channel, across: int, down: int) -> tuple[float, list[float], float]:
    """Return the average, the first waves in steps of 0 to 1, and their scale."""
    height, width = channel.shape
    rows = np.cos(np.pi / height * np.outer(np.arange(down), np.arange(height) + 0.5))
    columns = np.cos(np.pi / width * np.outer(np.arange(across), np.arange(width) + 0.5))
    found = rows @ channel @ columns.T / (width * height)
    waves = [
        float(found[y, x]) for y in range(down) for x in range(across) if (x or y) and x * down < across * (down - y)
    ]
    scale = max((abs(wave) for wave in waves), default=0.0)
    steps = [0.5 + 0.5 / scale * wave for wave in waves] if scale else [0.0] * len(waves)
    return float(found[0, 0]), steps, scale
