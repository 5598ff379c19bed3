"""Wind: thousands of strokes along a flowing field."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.colour import Rgb, mix
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Frame, Stage

SCALE = 2
PERIOD = 64


def compose(stage: Stage) -> Frame:
    """Strokes drawn once with their colour and their length counted along them; gusts run along that count."""
    lines, count = _trace(stage)
    colour, mask, phase = _draw(stage, lines, count)
    palette = stage.palette
    ground = mix(palette.paper, palette.sky[-1], 0.15) if not palette.dark else mix(palette.ink, palette.sky[0], 0.5)
    base = paint.plain(stage, ground)
    cloud = noise.resize(noise.clouds(stage.rng("ground"), 128, 128, 2.5), stage.width, stage.height)
    base *= 1.0 + np.float32(0.012) * cloud
    if not stage.moving:
        paint.blend(base, colour, mask)

    def frame(moment: float) -> Floats:
        if not stage.moving:
            return base
        laps = max(1, round(stage.seconds / 2.5))
        ticks = np.arange(256, dtype=np.float32) / 256
        gust = 0.5 + 0.5 * np.cos(2 * np.pi * (ticks - laps * moment))
        table = (0.5 + 0.5 * gust**1.5).astype(np.float32)
        picture = base.copy()
        paint.blend(picture, colour, mask * np.take(table, phase))
        return picture

    return frame


def _trace(stage: Stage) -> tuple[Floats, NDArray[np.int32]]:
    """Streamlines from a jittered grid, all at once: (line, step, xy) in pixels and each line's length in steps."""
    rng = stage.rng("wind")
    field = noise.clouds(rng, 256, 256, 3.2, 1.0)
    side = 0.021 if stage.fine else 0.025
    nx, ny = int(stage.width / stage.side / side) + 2, int(stage.height / stage.side / side) + 2
    gx, gy = np.meshgrid(np.arange(nx), np.arange(ny))
    starts = np.stack([gx, gy], axis=2).reshape(-1, 2) * side + rng.uniform(-side, side, (nx * ny, 2))
    # Some leave the grid's order, so that the weave stays irregular.
    starts = starts[rng.permutation(len(starts))]
    steps, reach = 44, 0.0052
    main = rng.uniform(-0.4, 0.4)
    swirl = rng.uniform(1.0, 1.5)
    way = np.empty((len(starts), steps, 2), np.float32)
    place: Floats = starts.astype(np.float32)
    for step in range(steps):
        way[:, step] = place
        angle = main + swirl * noise.sample_smooth(field, place[:, 0] * 175, place[:, 1] * 175)
        place = place + np.float32(reach) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lengths = rng.integers(steps // 3, steps, len(starts)).astype(np.int32)
    return way * np.float32(stage.side), lengths


def _draw(stage: Stage, lines: Floats, count: NDArray[np.int32]) -> tuple[Floats, Floats, NDArray[np.uint8]]:
    rng = stage.rng("strokes")
    size = (stage.width * SCALE, stage.height * SCALE)
    colour, mask = Image.new("RGB", size), Image.new("L", size)
    phase = Image.new("L", (stage.width, stage.height))
    pens = (ImageDraw.Draw(colour), ImageDraw.Draw(mask), ImageDraw.Draw(phase))
    palette = stage.palette
    tints = [*palette.accents, palette.ink if not palette.dark else palette.paper]
    zones = noise.clouds(rng, 128, 128, 2.6, 1.0)
    for line, steps in zip(lines, count, strict=True):
        x, y = line[steps // 2] / stage.side
        zone = float(zones[int(y * 90) % 128, int(x * 90) % 128])
        tint = _tint(tints, zone + rng.normal(0, 0.4), rng.normal(0, 0.05))
        width = rng.choice([1.6, 2.4, 3.6, 5.2], p=[0.35, 0.35, 0.22, 0.08]) * stage.side / 1024
        start = int(rng.integers(0, 256))
        points = (line[:steps] * SCALE).ravel().tolist()
        pens[0].line(points, fill=tint, width=round(width * SCALE) + 2)
        pens[1].line(points, fill=255, width=max(2, round(width * SCALE)))
        if stage.moving:
            for step in range(0, steps - 1, 3):
                part = line[step : step + 4].ravel().tolist()
                pens[2].line(part, fill=(start + step * 256 // PERIOD) % 256, width=round(width) + 2)
    return paint.from_image(colour.reduce(SCALE)), np.asarray(mask.reduce(SCALE), np.float32) / 255, np.asarray(phase)


def _tint(tints: list[Rgb], zone: float, turn: float) -> tuple[int, int, int]:
    """The zone's colour, with its neighbours near its borders."""
    place = np.clip((zone + 2.0) / 4.0, 0, 0.999) * (len(tints) - 1)
    first = int(place)
    mixed = mix(tints[first], tints[first + 1], float(np.clip((place - first) * 1.6 - 0.3, 0, 1)))
    light = 1 + turn
    return (
        min(255, round(mixed[0] * 255 * light)),
        min(255, round(mixed[1] * 255 * light)),
        min(255, round(mixed[2] * 255 * light)),
    )
