"""Image to image: the input, drawn towards the palette of the words and repainted by the hand."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from services.generator.providers.procedural import hands, paint
from services.generator.providers.procedural.colour import from_oklab, to_oklab
from services.generator.providers.procedural.fields import Bytes, Floats
from services.generator.providers.procedural.palettes import Palette
from services.generator.providers.procedural.stage import Stage
from services.generator.render_protocol import Refused

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF")
MAX_PIXELS = 50_000_000
# How far a film's view goes in; the painting is made larger by as much.
ZOOM = 1.14


def open_input(path: str) -> Image.Image:
    """The input as an upright RGB picture; Refused when it is not one, or too large to decode safely."""
    try:
        with Image.open(Path(path), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Refused(
                    "invalid_input", f"The input image has more than {MAX_PIXELS // 1_000_000} million pixels."
                )
            image.draft("RGB", (2048, 2048))
            upright = ImageOps.exif_transpose(image)
            flat = Image.new("RGB", upright.size, (255, 255, 255))
            rgba = upright.convert("RGBA")
            flat.paste(rgba, mask=rgba.getchannel("A"))
            return flat
    except Refused:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused("invalid_input", "The input image cannot be read as PNG, JPEG, WebP, AVIF or GIF.") from error


def painted(stage: Stage, path: str, hand: str, spoken: bool) -> Floats:
    """The whole input repainted at the size of the stage; `spoken` words pull harder at its colours."""
    image = ImageOps.fit(open_input(path), (stage.width, stage.height), Image.Resampling.LANCZOS)
    image = image.filter(_towards(stage.palette, 0.5 if spoken else 0.22))
    return hands.HANDS[hand](stage)(paint.from_image(image), 0.0)


def _towards(palette: Palette, share: float) -> ImageFilter.Color3DLUT:
    """A colour cube that keeps lightness and draws hue towards the palette's colour of the same lightness."""
    side = 17
    steps = np.linspace(0.0, 1.0, side)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    lab = to_oklab(np.stack([red.ravel(), green.ravel(), blue.ravel()], axis=1))
    known = to_oklab(
        [
            palette.ink,
            palette.near,
            palette.far,
            *palette.accents,
            *palette.sky,
            palette.mist,
            palette.light,
            palette.paper,
        ]
    )
    known = known[np.argsort(known[:, 0])]
    for axis in (1, 2):
        curve = np.convolve(np.pad(known[:, axis], 2, mode="edge"), np.ones(5) / 5, "valid")
        goal = np.interp(lab[:, 0], known[:, 0], curve)
        lab[:, axis] = lab[:, axis] * (1 - share * 0.6) + goal * share
    return ImageFilter.Color3DLUT(side, from_oklab(lab).ravel().tolist())


class View:
    """A slow walk over a painting that is larger than the picture: in, aside, and back to where it began."""

    def __init__(self, painting: Bytes, width: int, height: int, side: float) -> None:
        self._image = paint.to_image(painting)
        self._size = (width, height)
        self._side = side

    def __call__(self, moment: float) -> Bytes:
        angle = 2 * np.pi * moment
        wide, high = self._image.size
        part = 1.0 - (1.0 - 1.0 / ZOOM) * (0.5 - 0.5 * np.cos(angle))
        x = (wide - wide * part) * (0.5 + 0.4 * self._side * np.sin(angle))
        y = (high - high * part) * (0.5 - 0.2 * np.sin(angle))
        box = (x, y, x + wide * part, y + high * part)
        view = self._image.resize(self._size, Image.Resampling.BICUBIC, box=box)
        return np.ascontiguousarray(np.asarray(view).transpose(2, 0, 1))
