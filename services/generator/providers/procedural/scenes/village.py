"""Houses on a hill, or a castle above them: lit windows, smoke, flags, clouds that drift."""

import numpy as np

from services.generator.providers.procedural import noise, paint, scenery
from services.generator.providers.procedural.colour import Rgb, mix, shift
from services.generator.providers.procedural.fields import Floats, Points
from services.generator.providers.procedural.pad import Pad, Sprite, oval, path
from services.generator.providers.procedural.stage import Frame, Rng, Stage

CASTLE = "castle chateau fort fortress palace palais tower donjon knight chevalier kingdom royaume"


def compose(stage: Stage) -> Frame:
    """Sky, far hills, the castle if asked, rows of houses from far to near, trees before them."""
    rng = stage.rng("village")
    palette = stage.palette
    canvas = paint.fade(stage, palette.sky, to=0.72)
    _light(stage, canvas, rng)
    sky = np.ones((stage.height, stage.width), np.float32)
    pad = Pad(canvas, (stage.width / 2, stage.height / 2), float(stage.side))
    castle = bool(stage.asked({"castle": CASTLE}))
    flags: list[tuple[float, float]] = []
    chimneys: list[tuple[float, float]] = []
    for row in range(4):
        hill = _hill(stage, row)
        mask = scenery.below(stage, hill)
        sky *= 1 - mask
        if row == 1 and castle:
            flags = _castle(stage, pad, hill)
        ground = mix(mix(palette.far, palette.near, 0.15 + 0.25 * row), _green(stage), 0.3 + 0.12 * row)
        trees = scenery.treeline(stage, f"trees {row}", hill, 0.045 + 0.022 * row, (70, 60, 44, 30)[row])
        paint.blend(canvas, mix(ground, palette.near, 0.45), trees)
        paint.blend(canvas, mix(ground, palette.sky[-2], 0.42 - 0.13 * row), mask)
        if row:
            chimneys += _houses(stage, pad, hill, row)
        glow = paint.smoothstep(0.0, 0.16, stage.grid()[1] - hill[None]) * mask
        paint.blend(canvas, mix(palette.mist, palette.sky[-1], 0.4), glow * np.float32(0.34 - 0.09 * row))
    return _moving(stage, canvas, sky, chimneys, flags)


def _moving(
    stage: Stage, canvas: Floats, sky: Floats, chimneys: list[tuple[float, float]], flags: list[tuple[float, float]]
) -> Frame:
    palette = stage.palette
    clouds = scenery.Drift(stage, "clouds", stage.height, beta=2.4, stretch=3.2, low=2.0, speed=0.014)
    fair = sky * paint.smoothstep(0.6, 0.1, stage.grid()[1]) * np.float32(0.7)
    bright = scenery.lit(mix(palette.light, palette.sky[-2], 0.3), 0.25)
    puffs = [Sprite(_puff, 1.3, size * stage.side) for size in (0.008, 0.012, 0.017)]

    def frame(moment: float) -> Floats:
        picture = canvas.copy()
        paint.blend(picture, bright, paint.smoothstep(0.3, 2.3, clouds(moment)) * fair)
        for number, (x, y) in enumerate(chimneys):
            _smoke(stage, picture, puffs, (x, y, 0.37 * number), moment)
        pad = Pad(picture, (stage.width / 2, stage.height / 2), float(stage.side))
        for number, (x, y) in enumerate(flags):
            _flag(pad, x, y, stage.turns(moment, 1.6) + number, palette.accents[number % 2])
        return picture

    return frame


def _green(stage: Stage) -> Rgb:
    return mix(stage.palette.near, (0.3, 0.48, 0.24), 0.5 if not stage.palette.dark else 0.12)


def _light(stage: Stage, canvas: Floats, rng: Rng) -> None:
    """Sun or moon, and stars when it is dark."""
    palette = stage.palette
    if palette.dark:
        canvas += scenery.Stars(stage, stage.height, 0.9)() * (1 - paint.smoothstep(0.2, 0.6, stage.grid()[1]))
    place = (rng.choice([rng.uniform(0.16, 0.32), rng.uniform(0.68, 0.84)]), rng.uniform(0.16, 0.3))
    paint.glow(canvas, palette.light, scenery.halo(stage, *place, 0.3, 1.5) * np.float32(0.45))
    paint.blend(canvas, scenery.lit(palette.light, 0.5), scenery.disc(stage, *place, 0.058))


def _hill(stage: Stage, row: int) -> Floats:
    rng = stage.rng(f"hill {row}")
    base, relief = (0.6, 0.66, 0.76, 0.88)[row], (0.06, 0.05, 0.045, 0.03)[row]
    hill: Floats = (
        base - relief * noise.line(rng, stage.width, (2.2, 1.5, 1.2, 1.0)[row] * stage.landscape, 3, 0.4)
    ).astype(np.float32)
    return hill


def _houses(stage: Stage, pad: Pad, hill: Floats, row: int) -> list[tuple[float, float]]:
    """A row of gabled houses along a hill; where their chimneys end."""
    rng = stage.rng(f"houses {row}")
    wide = stage.width / stage.side
    size = (0.0, 0.06, 0.085, 0.125)[row]
    chimneys = []
    x = -wide / 2 + rng.uniform(0.0, 0.1)
    while x < wide / 2:
        if rng.random() < (0.0, 0.72, 0.66, 0.5)[row]:
            ground = float(hill[int(np.clip((x / wide + 0.5) * stage.width, 0, stage.width - 1))])
            foot = (ground - 0.5) * stage.height / stage.side + size * 0.28
            chimney = _house(stage, pad, rng, (x, foot), size * rng.uniform(0.85, 1.2), row)
            if row > 1 and rng.random() < 0.6:
                chimneys.append(chimney)
        x += size * rng.uniform(1.15, 2.3)
    return chimneys


def _house(stage: Stage, pad: Pad, rng: Rng, foot: tuple[float, float], size: float, row: int) -> tuple[float, float]:
    """One house seen from a corner; returns the top of its chimney."""
    palette = stage.palette
    haze = 0.34 - 0.11 * row
    plaster = mix(mix(palette.paper, palette.accents[int(rng.integers(0, 5))], 0.16), palette.sky[-2], haze)
    if palette.dark:
        plaster = mix(plaster, palette.near, 0.55)
    tile = mix(mix(palette.accents[int(rng.integers(0, 2))], palette.near, 0.35), palette.sky[-2], haze * 0.8)
    house = pad.moved(foot[0], foot[1], size)
    side = float(rng.choice([-1, 1]))
    house.fill(
        path("-0.42,0.1 -0.42,-0.55 -0.1,-0.98 0.18,-0.55 0.18,0.1", side), plaster, to=shift(plaster, light=-0.06)
    )
    house.fill(
        path("0.18,0.1 0.18,-0.55 0.72,-0.55 0.72,0.1", side),
        shift(plaster, light=-0.09),
        to=shift(plaster, light=-0.14),
    )
    stack = mix(tile, palette.near, 0.4)
    house.fill(path("0.4,-0.7 0.4,-1.16 0.52,-1.16 0.52,-0.7", side), stack)
    house.fill(path("-0.14,-1.04 0.22,-0.5 0.79,-0.5 0.48,-1.04", side), tile, to=shift(tile, light=-0.07))
    house.fill(path("-0.1,-1.04 -0.5,-0.5 -0.44,-0.47 -0.1,-0.93 0.18,-0.5 0.24,-0.5", side), shift(tile, light=-0.1))
    lamp = mix((1.0, 0.84, 0.48), palette.light, 0.25)
    glass = lamp if palette.dark or rng.random() < 0.35 else mix(palette.sky[0], palette.ink, 0.35)
    for left, top in ((-0.3, -0.42), (-0.04, -0.42), (0.3, -0.4), (0.52, -0.4)):
        window = np.array([(left, top), (left + 0.13, top), (left + 0.13, top + 0.2), (left, top + 0.2)]) * [side, 1.0]
        if palette.dark:
            house.fill(oval((left + 0.065) * side, top + 0.1, 0.16, 0.18), lamp, alpha=0.3, soft=0.07)
        house.fill(window, glass)
    door = mix(palette.accents[int(rng.integers(2, 5))], palette.near, 0.3)
    house.fill(path("-0.2,0.1 -0.2,-0.14 -0.05,-0.14 -0.05,0.1", side), door)
    return foot[0] + 0.46 * side * size, foot[1] - 1.16 * size


def _castle(stage: Stage, pad: Pad, hill: Floats) -> list[tuple[float, float]]:
    """Towers with pointed roofs round a keep, on the far hill; where the flags fly."""
    rng = stage.rng("castle")
    palette = stage.palette
    x = rng.uniform(-0.12, 0.12) * stage.width / stage.side
    ground = float(hill[int(np.clip((x * stage.side / stage.width + 0.5) * stage.width, 0, stage.width - 1))])
    castle = pad.moved(x, (ground - 0.5) * stage.height / stage.side + 0.04, 0.34)
    stone = mix(mix(palette.paper, palette.far, 0.5), palette.sky[-2], 0.25)
    if palette.dark:
        stone = mix(stone, palette.near, 0.45)
    roof = mix(palette.accents[0], palette.near, 0.4)
    flags = []
    towers = [(-0.52, 0.5, 0.085), (0.5, 0.56, 0.085), (-0.3, 0.72, 0.075), (0.28, 0.8, 0.08), (0.0, 1.06, 0.11)]
    castle.fill(path("-0.6,0.1 -0.6,-0.3 0.6,-0.3 0.6,0.1"), stone, to=shift(stone, light=-0.08))
    for tower, tall, half in sorted(towers, key=lambda one: -one[1]):
        box = np.array([(tower - half, 0.1), (tower - half, -tall), (tower + half, -tall), (tower + half, 0.1)])
        castle.fill(box, shift(stone, light=0.03), to=shift(stone, light=-0.09), turn=0.25)
        rim = np.array(
            [
                (tower - half * 1.25, -tall),
                (tower - half * 1.25, -tall - 0.05),
                (tower + half * 1.25, -tall - 0.05),
                (tower + half * 1.25, -tall),
            ]
        )
        castle.fill(rim, shift(stone, light=-0.05))
        peak = -tall - half * 3.6
        cone = np.array([(tower - half * 1.35, -tall - 0.05), (tower, peak), (tower + half * 1.35, -tall - 0.05)])
        castle.fill(cone, shift(roof, light=0.05), to=shift(roof, light=-0.1), turn=0.25)
        flags.append((x + tower * 0.34, (ground - 0.5) * stage.height / stage.side + 0.04 + peak * 0.34))
        lamp = mix((1.0, 0.84, 0.48), palette.light, 0.3) if palette.dark else mix(palette.ink, stone, 0.35)
        for level in (0.25, 0.55, 0.8):
            castle.fill(oval(tower, -tall * level, half * 0.2, half * 0.34, steps=20), lamp)
    for tooth in np.arange(-0.58, 0.6, 0.09):
        castle.fill(np.array([(tooth, -0.3), (tooth, -0.35), (tooth + 0.05, -0.35), (tooth + 0.05, -0.3)]), stone)
    castle.fill(
        np.concatenate([oval(0, -0.06, 0.085, 0.1), path("-0.085,-0.06 -0.085,0.1 0.085,0.1 0.085,-0.06")]),
        mix(palette.ink, stone, 0.25),
    )
    return flags


def _puff(pad: Pad) -> None:
    pad.fill(oval(0, 0, 0.7, 0.7, steps=24), (1.0, 0.99, 0.97), alpha=0.15, soft=0.3)


def _smoke(
    stage: Stage, picture: Floats, puffs: list[Sprite], chimney: tuple[float, float, float], moment: float
) -> None:
    """Puffs that rise from a chimney and lean with the wind."""
    x, y, phase = chimney
    rounds = max(1, round(stage.seconds / 3)) if stage.moving else 0
    for number in range(14):
        age = (number / 14 + phase + rounds * moment) % 1.0
        px = x + 0.05 * age**1.4 + 0.006 * np.sin(2 * np.pi * (age + phase))
        py = y - 0.012 - 0.13 * age
        sprite = puffs[min(2, int(age * 3))]
        sprite.lay(picture, stage.width / 2 + px * stage.side, stage.height / 2 + py * stage.side)


def _flag(pad: Pad, x: float, y: float, phase: float, tint: Rgb) -> None:
    """A pennant in the wind."""
    t = np.linspace(0, 1, 9)
    wave = 0.0055 * np.sin(phase - t * 5.0) * t
    upper, lower = -0.02 + wave, 0.0 + wave - 0.002 * t
    cloth: Points = np.concatenate(
        [np.stack([t * 0.045, upper + 0.008 * t], 1), np.stack([t * 0.045, lower - 0.006 * t], 1)[::-1]]
    )
    place = np.array([x, y])
    pad.fill(place + path("-0.0012,0.012 -0.0012,-0.026 0.0012,-0.026 0.0012,0.012"), shift(tint, light=-0.3))
    pad.fill(place + cloth, tint)
