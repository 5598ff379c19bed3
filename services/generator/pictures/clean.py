"""A child's renderer: a stranger's picture is decoded whole and written anew, so that only its pixels are left."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageOps

from services.generator.pictures.endings import ends_properly
from services.generator.render_protocol import Refused

FORMATS: Final = ("PNG", "JPEG", "WEBP")
MAX_PIXELS: Final = 40_000_000
_WRITTEN: Final[dict[str, dict[str, Any]]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "PNG": {"compress_level": 1},
}


def render(work: dict[str, Any], report: Callable[[float], None]) -> dict[str, Any]:
    """Clean the file at `path` into `folder`; Refused with a reason when it is no picture that we take."""
    path = Path(work["path"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _verify(path)
            picture, format_name = _decoded(path)
    except (Refused, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise _too_large() from None
    except Exception as error:  # decoders raise anything on bytes that were made to break them
        raise _refused("corrupt", "it is damaged or cut off") from error
    written = "JPEG" if format_name == "JPEG" else "PNG"
    target = Path(work["folder"]) / f"input.{'jpg' if written == 'JPEG' else 'png'}"
    picture.save(target, written, **_WRITTEN[written])
    return {"path": str(target), "width": picture.width, "height": picture.height}


def _refused(reason: str, detail: str) -> Refused:
    return Refused("invalid_input", f"input_image_url: {detail}", reason=f"input_image_{reason}")


def _too_large() -> Refused:
    return _refused("too_many_pixels", f"it has more than {MAX_PIXELS // 1_000_000} million pixels")


def _verify(path: Path) -> None:
    """Check what the header says before a pixel is decoded, and every checksum the format has."""
    with Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise _too_large()
        if getattr(image, "n_frames", 1) > 1:
            raise _refused("animated", "it moves; give a single picture")
        image.verify()
    if not ends_properly(path.read_bytes()):
        raise _refused("corrupt", "it is cut off")


def _decoded(path: Path) -> tuple[Image.Image, str]:
    with Image.open(path, formats=FORMATS) as image:
        image.load()
        format_name = image.format or "PNG"
        picture = _plain(ImageOps.exif_transpose(image))
    # What the file said beside its pixels (EXIF, profiles, texts) lies in `info`, and a writer would copy it.
    picture.info = {}
    return picture, format_name


def _plain(image: Image.Image) -> Image.Image:
    """The picture with 8 bits a channel, as RGB, or as RGBA where something shows through."""
    if image.mode.startswith(("I", "F")):
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    see_through = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    return image.convert("RGBA" if see_through else "RGB")
