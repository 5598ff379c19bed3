"""The render child's renderer: from an order's plain data to files in its folder."""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from services.generator.pictures import thumbnails
from services.generator.providers.procedural import hands, images, pace, paint, repaint, subject, weather
from services.generator.providers.procedural.brief import Brief
from services.generator.providers.procedural.caption import Caption
from services.generator.providers.procedural.fields import Bytes, Floats
from services.generator.providers.procedural.stage import Frame, Stage

Report = Callable[[float], None]
Shot = Callable[[float], Bytes]
"""The finished frame of a moment (0 to 1), as planar bytes."""

# Quality "high" draws larger and scales down, as long as the drawing stays within what a child may use.
FINE_SCALE = 1.5
FINE_PIXELS = 5_000_000


def render(work: dict[str, Any], report: Report) -> dict[str, Any]:
    """Render every medium of the order; the answer names the files."""
    count = int(work.get("count", 1))
    make = _film if work["kind"] == "video" else _picture
    media = []
    for index in range(1, count + 1):

        def share(fraction: float, done: int = index - 1) -> None:
            report((done + fraction) / count)

        media.append(make(Brief.of(work, index), Path(work["folder"]), share))
        report(index / count)
    return {"media": media}


def picture(brief: Brief) -> tuple[Image.Image, str]:
    """The picture of a brief and its description."""
    pixels = brief.width * brief.height
    scale = FINE_SCALE if brief.fine and pixels * FINE_SCALE**2 <= FINE_PIXELS else 1.0
    shot, description = shoot(brief, round(brief.width * scale), round(brief.height * scale))
    image = paint.to_image(shot(0.0))
    if scale != 1.0:
        image = image.resize((brief.width, brief.height), Image.Resampling.LANCZOS)
    return image, description


def shoot(brief: Brief, width: int, height: int) -> tuple[Shot, str]:
    """Compose the brief at a resolution: what gives its frames, and its description."""
    reading = subject.read(brief.prompt)
    hand = hands.named(brief.style)
    key = f"{subject.fold(brief.prompt)}/{brief.seed}/{brief.index}"
    stage = Stage(width, height, reading.palette, key, reading.words, hand, brief.fine, brief.seconds, reading.animal)
    caption = Caption(stage, brief.caption) if brief.caption else None
    if brief.input_image:
        hand = hands.named(brief.style) if brief.style else "oil"
        return _repainted(
            stage, brief.input_image, hand, reading.spoken, caption
        ), f"The input image, {_words(reading, hand)}"
    scene = weather.over(reading.scene, stage, compose(reading.scene, stage))
    change = hands.HANDS[hand](stage)
    dither = paint.dithering(height, width)

    def shot(moment: float) -> Bytes:
        canvas = change(scene(moment), moment)
        if caption is not None:
            caption.lay(canvas)
        return paint.to_bytes(canvas, dither)

    return shot, f"{reading.title}, {_words(reading, hand)}"


def compose(scene: str, stage: Stage) -> Frame:
    """The scene as its own file draws it."""
    module = importlib.import_module(f"services.generator.providers.procedural.scenes.{scene}")
    frame: Frame = module.compose(stage)
    return frame


def _repainted(stage: Stage, path: str, hand: str, spoken: bool, caption: Caption | None) -> Shot:
    """The input image repainted; a film walks over the painting."""
    large = stage
    if stage.moving:
        large = stage.at(round(stage.width * repaint.ZOOM), round(stage.height * repaint.ZOOM))
    canvas = repaint.painted(large, path, hand, spoken)
    painting = paint.to_bytes(canvas)
    view = repaint.View(painting, stage.width, stage.height, float(stage.rng("walk").choice([-1, 1])))

    def shot(moment: float) -> Bytes:
        planes = view(moment) if stage.moving else painting
        if caption is None:
            return planes
        lettered: Floats = planes * (1 / 255)
        caption.lay(lettered)
        return paint.to_bytes(lettered)

    return shot


def _words(reading: subject.Reading, hand: str) -> str:
    return f"{reading.palette.name} colours, {hand} style"


def _picture(brief: Brief, folder: Path, report: Report) -> dict[str, Any]:
    report(0.05)
    image, description = picture(brief)
    report(0.75)
    name = f"image_{brief.index}"
    smaller = thumbnails.BESIDE.submit(thumbnails.make, image, folder, name)
    path = images.save(image, folder, name, brief.format.upper())
    return {
        **smaller.result(),
        "index": brief.index,
        "path": str(path),
        "width": image.width,
        "height": image.height,
        "description": description,
    }


def _film(brief: Brief, folder: Path, report: Report) -> dict[str, Any]:
    # PyAV is loaded by the first film: a child that draws pictures only stays smaller.
    from services.generator.providers.procedural import film

    width, height = brief.width // 2 * 2, brief.height // 2 * 2
    scale = (
        1.0
        if brief.fine or min(width, height) < 480
        else pace.film_scale(subject.read(brief.prompt).scene, brief.style)
    )
    shot, description = shoot(brief, round(width * scale), round(height * scale))
    report(0.04)
    count = max(1, round(brief.seconds * brief.fps))
    # The poster is a late frame: what grows has grown by then.
    poster = folder / f"video_{brief.index}.jpg"
    smaller: dict[str, Any] = {}

    def frames() -> Iterator[Bytes]:
        for number in range(count):
            planes = shot(number / count)
            if number == count * 3 // 4:
                still = paint.to_image(planes).resize((width, height), Image.Resampling.BICUBIC)
                still.save(poster, "JPEG", **images.SETTINGS["JPEG"])
                smaller.update(thumbnails.make(still, folder, f"video_{brief.index}"))
            yield planes
            report(0.04 + 0.94 * (number + 1) / count)

    path = folder / f"video_{brief.index}.mp4"
    film.write(path, frames(), width, height, brief.fps, brief.fine)
    return {
        **smaller,
        "index": brief.index,
        "path": str(path),
        "width": width,
        "height": height,
        "poster": str(poster),
        "description": description,
        "seconds": count / brief.fps,
        "fps": brief.fps,
    }
