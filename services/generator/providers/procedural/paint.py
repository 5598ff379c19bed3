"""Painting on planar colour: gradients, soft blends, glows, antialiased shapes."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from services.generator.providers.procedural.colour import Rgb, ramp
from services.generator.providers.procedural.fields import Bytes, Floats
from services.generator.providers.procedural.stage import Stage


def plain(stage: Stage, colour: Rgb) -> Floats:
    """A canvas of one colour."""
    canvas = np.empty((3, stage.height, stage.width), np.float32)
    canvas[:] = np.array(colour, np.float32)[:, None, None]
    return canvas


def fade(stage: Stage, stops: Sequence[Rgb], to: float = 1.0, at: Sequence[float] | None = None) -> Floats:
    """A canvas whose colours run from the top to `to` of the height, and stay there below."""
    colours = ramp(stops, 2048, at)
    y = (np.arange(stage.height) + 0.5) / stage.height
    column = colours[:, np.clip(y / to * 2047, 0, 2047).astype(np.int32)]
    return np.repeat(column[:, :, None], stage.width, axis=2)


def blend(canvas: Floats, colour: Rgb | Floats, mask: Floats | float, top: int = 0) -> None:
    """Lay a colour (or a canvas) over the canvas where the mask says, from row `top` down."""
    for channel in range(3):
        below = canvas[channel, top : top + mask.shape[0]] if isinstance(mask, np.ndarray) else canvas[channel]
        below += (colour[channel] - below) * mask


def glow(canvas: Floats, colour: Rgb, light: Floats, top: int = 0) -> None:
    """Add light the way film does: the screen blend, which never burns out."""
    for channel in range(3):
        below = canvas[channel, top : top + light.shape[0]]
        below += (1.0 - below) * (light * colour[channel])


def multiply(canvas: Floats, shade: Floats) -> None:
    """Darken the canvas by a field of 0..1."""
    canvas *= shade


def lookup(colours: Floats, field: Floats) -> Floats:
    """The canvas whose colour at each point is that of the ramp at `field` (0..1)."""
    count = colours.shape[1]
    index = np.clip(field * np.float32(count - 1), 0, count - 1).astype(np.int32)
    canvas = np.empty((3, *field.shape), np.float32)
    for channel in range(3):
        np.take(colours[channel], index, out=canvas[channel])
    return canvas


def smoothstep(low: float, high: float, field: Floats) -> Floats:
    """0 below `low`, 1 above `high`, soft between; the ends may be swapped."""
    t = np.clip((field - np.float32(low)) * np.float32(1 / (high - low)), 0.0, 1.0)
    soft: Floats = t * t * (3.0 - 2.0 * t)
    return soft


def cover(distance: Floats, pixel: float) -> Floats:
    """How much of each pixel a shape covers, from its signed distance (negative inside) and the pixel's size."""
    covered: Floats = np.clip(0.5 - distance * np.float32(1 / pixel), 0.0, 1.0)
    return covered


def to_bytes(canvas: Floats, dither: Floats | None = None) -> Bytes:
    """Planar colour as planar bytes; a dither field of half a step hides the bands of soft gradients."""
    scaled = canvas * np.float32(255.0)
    scaled += np.float32(0.5) if dither is None else dither
    planes: Bytes = np.clip(scaled, 0.0, 255.0).astype(np.uint8)
    return planes


def dithering(height: int, width: int) -> Floats:
    """One step of noise, the same for every picture, without a visible tile."""
    rng = np.random.default_rng(7)
    tile = rng.random((256, 256), dtype=np.float32)
    return np.tile(tile, (-(-height // 256), -(-width // 256)))[:height, :width]


def to_image(planes: Bytes) -> Image.Image:
    """Planar bytes as a Pillow picture."""
    return Image.merge("RGB", [Image.fromarray(plane) for plane in planes])


def from_image(image: Image.Image) -> Floats:
    """A Pillow picture as planar colour."""
    planes = np.asarray(image.convert("RGB"), dtype=np.uint8).transpose(2, 0, 1)
    return np.ascontiguousarray(planes, dtype=np.float32) * np.float32(1 / 255)
