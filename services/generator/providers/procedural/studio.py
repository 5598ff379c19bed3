"""The render child's renderer: from an order's plain data to files in its folder."""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from services.generator.providers.procedural import film, hands, images, paint, subject
from services.generator.providers.procedural.brief import Brief
from services.generator.providers.procedural.stage import Frame, Stage

Report = Callable[[float], None]


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


def stage_for(brief: Brief, width: int, height: int) -> tuple[subject.Reading, Stage]:
    """Read the prompt and set the stage."""
    reading = subject.read(brief.prompt)
    key = f"{subject.fold(brief.prompt)}/{brief.seed}/{brief.index}"
    hand = hands.named(brief.style)
    stage = Stage(width, height, reading.palette, key, reading.words, hand, brief.fine, brief.seconds)
    return reading, stage


def compose(scene: str, stage: Stage) -> Frame:
    """The scene as its own hand draws it."""
    return _module(scene).compose(stage)


def _module(scene: str) -> Any:
    return importlib.import_module(f"services.generator.providers.procedural.scenes.{scene}")


def _picture(brief: Brief, folder: Path, report: Report) -> dict[str, Any]:
    reading, stage = stage_for(brief, brief.width, brief.height)
    report(0.1)
    canvas = compose(reading.scene, stage)(0.0)
    report(0.6)
    canvas = hands.HANDS[stage.hand](stage)(canvas, 0.0)
    image = paint.to_image(paint.to_bytes(canvas, paint.dithering(brief.height, brief.width)))
    report(0.8)
    path = images.save(image, folder, f"image_{brief.index}", brief.format.upper())
    return {
        "index": brief.index, "path": str(path), "width": brief.width, "height": brief.height,
        "description": _description(reading, stage),
    }  # fmt: skip


def _film(brief: Brief, folder: Path, report: Report) -> dict[str, Any]:
    width, height = brief.width // 2 * 2, brief.height // 2 * 2
    scale = 2 / 3 if min(width, height) >= 480 else 1.0
    reading, stage = stage_for(brief, round(width * scale), round(height * scale))
    report(0.02)
    scene, hand = compose(reading.scene, stage), hands.HANDS[stage.hand](stage)
    count = max(1, round(brief.seconds * brief.fps))
    dither = paint.dithering(stage.height, stage.width)
    poster = folder / f"video_{brief.index}.jpg"

    def frames() -> Iterator[Any]:
        for number in range(count):
            planes = paint.to_bytes(hand(scene(number / count), number / count), dither)
            if number == 0:
                image = paint.to_image(planes).resize((width, height), 3)
                image.save(poster, "JPEG", **images.SETTINGS["JPEG"])
            yield planes
            report(0.04 + 0.94 * (number + 1) / count)

    path = folder / f"video_{brief.index}.mp4"
    film.write(path, frames(), width, height, brief.fps, brief.fine)
    return {
        "index": brief.index, "path": str(path), "width": width, "height": height, "poster": str(poster),
        "description": _description(reading, stage), "seconds": count / brief.fps, "fps": brief.fps,
    }  # fmt: skip


def _description(reading: subject.Reading, stage: Stage) -> str:
    return f"{reading.scene.capitalize()}, {reading.palette.name} colours, drawn as {stage.hand}"
