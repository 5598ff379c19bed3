"""A child's renderer: what a provider calls a picture or a film is decoded whole, measured and made smaller."""

import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from PIL import Image

from services.generator.pictures import thumbnails
from services.generator.render_protocol import Refused

FORMATS: Final = ("PNG", "JPEG", "WEBP", "AVIF")
MAX_PIXELS: Final = 40_000_000
MAX_FRAMES: Final = 8_000
MAX_SECONDS: Final = 300
THREADS: Final = 2
ENOUGH_FRAMES: Final = 0.9
"""Of the frames a film's index names; an edit list may leave some of them out."""
PREVIEW_WIDTH: Final = 640
PREVIEW: Final[dict[str, Any]] = {"quality": 70, "method": 2}
POSTER: Final[dict[str, Any]] = {"quality": 88}


def render(work: dict[str, Any], report: Callable[[float], None]) -> dict[str, Any]:
    """Examine the file at `path`, write smaller versions into `folder`; Refused when it is not what it should be."""
    path, folder, name = Path(work["path"]), Path(work["folder"]), str(work["name"])
    look = {"video": _film, "preview": _preview}.get(work["kind"], _picture)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return look(path, folder, name)
    except (Refused, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise _too_large() from None
    except Exception as error:  # decoders raise anything on bytes that were made to break them
        raise _refused("corrupt", "it is damaged or cut off") from error


def _refused(reason: str, detail: str) -> Refused:
    return Refused("provider_error", f"the provider's medium is not usable: {detail}", reason=f"media_{reason}")


def _too_large() -> Refused:
    return _refused("too_many_pixels", f"it has more than {MAX_PIXELS // 1_000_000} million pixels")


def _picture(path: Path, folder: Path, name: str) -> dict[str, Any]:
    with Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise _too_large()
        if getattr(image, "n_frames", 1) > 1:
            raise _refused("animated", "it moves, and a picture was asked for")
        image.verify()
    with Image.open(path, formats=FORMATS) as image:
        image.load()
        see_through = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
        plain = image.convert("RGBA" if see_through else "RGB")
    return {**thumbnails.make(plain, folder, name), "width": plain.width, "height": plain.height}


def _preview(path: Path, folder: Path, name: str) -> dict[str, Any]:
    """Write an unfinished picture small; nothing else of it is kept."""
    with Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise _too_large()
        image.load()
        small = image.convert("RGB")
    if small.width > PREVIEW_WIDTH:
        height = max(1, round(small.height * PREVIEW_WIDTH / small.width))
        small = small.resize((PREVIEW_WIDTH, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
    target = folder / f"{name}.webp"
    small.save(target, "WEBP", **PREVIEW)
    return {"path": str(target)}


def _film(path: Path, folder: Path, name: str) -> dict[str, Any]:
    # Loaded by films alone: a child that looks at pictures stays smaller.
    import av

    with av.open(str(path), "r", format="mp4") as container:
        if not container.streams.video:
            raise _refused("no_pictures", "it holds no moving pictures")
        stream = container.streams.video[0]
        if stream.width * stream.height > MAX_PIXELS:
            raise _too_large()
        if float(container.duration or 0) / av.time_base > MAX_SECONDS:
            raise _too_long()
        # Each thread keeps frames of its own: memory must not grow with the machine's cores.
        stream.codec_context.thread_count = THREADS
        # The poster is a late frame, as of our own films: what grows has grown by then.
        still, count, seconds = _watched(container.decode(stream), max(0, (stream.frames or 1) * 3 // 4 - 1))
        if count < (stream.frames or 0) * ENOUGH_FRAMES:
            raise _refused("corrupt", f"it holds {count} of the {stream.frames} frames it names")
        rate = float(stream.average_rate or 0) or (count / seconds if seconds else 0)
    poster = folder / f"{name}_poster.jpg"
    image = Image.fromarray(still.to_ndarray(format="rgb24"))
    image.save(poster, "JPEG", **POSTER)
    return {
        **thumbnails.make(image, folder, name),
        "width": image.width,
        "height": image.height,
        "poster": str(poster),
        # The last frame is shown for as long as the others.
        "seconds": round(seconds + (1 / rate if rate else 0), 3),
        "fps": min(1_000, max(1, round(rate))),
    }


def _watched(frames: Iterable[Any], late: int) -> tuple[Any, int, float]:
    """Decode every frame; returns a late one, how many there are, and the seconds from the first to the last."""
    still, count = None, 0
    first = last = 0.0
    for frame in frames:
        if frame.is_corrupt:
            raise _refused("corrupt", f"frame {count + 1} is damaged")
        if count <= late:
            still = frame
        last = float(frame.time or 0)
        first = last if count == 0 else first
        count += 1
        if count > MAX_FRAMES or last - first > MAX_SECONDS:
            raise _too_long()
    if still is None:
        raise _refused("no_pictures", "it holds no frame")
    return still, count, max(0.0, last - first)


def _too_long() -> Refused:
    return _refused("too_long", f"it is longer than {MAX_SECONDS} seconds or {MAX_FRAMES} frames")
