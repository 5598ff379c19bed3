"""An animal face to face, dressed as the prompt says, before a sun and slow rays."""

from dataclasses import replace

import numpy as np

from services.generator.providers.procedural import attire, noise, paint, scenery
from services.generator.providers.procedural.colour import Rgb, lightness, mix, rgb, shift
from services.generator.providers.procedural.creatures import figure
from services.generator.providers.procedural.creatures.species import SPECIES, choose
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.pad import Pad, path, smooth
from services.generator.providers.procedural.palettes import COLOURS
from services.generator.providers.procedural.stage import Frame, Stage


def compose(stage: Stage) -> Frame:
    """The ground stays but for its rays; the animal breathes, blinks and pricks an ear."""
    rng = stage.rng("animal")
    kind = stage.animal or "cat"
    wanted = next(
        (rgb(COLOURS[word]) for word in sorted(stage.words) if word in COLOURS and word not in {"or", "rose"}), None
    )
    look = choose(SPECIES[kind], rng, wanted, stage.palette.light)
    clothes = attire.worn(stage)
    ground, rays = _ground(stage, look.coat)
    fur = noise.clouds(stage.rng("fur"), 256, 256, 1.1, 6.0)
    unit = min(0.6 * stage.side, 0.62 * stage.height, 0.74 * stage.width)
    high = SPECIES[kind].ears == "long" or "hat" in clothes
    unit *= 0.86 if high else 1.0
    centre = (stage.width / 2, stage.height / 2 + unit * (0.3 if high else 0.05))
    covered = "sunglasses" in clothes
    leaves = _leaves(stage)
    _draw_leaves(stage, ground, leaves, 0.0, behind=True)

    def frame(moment: float) -> Floats:
        angle = stage.turns(moment, 4.0)
        picture = ground.copy()
        paint.glow(picture, stage.palette.light, rays(moment))
        breath = 0.006 * np.sin(angle)
        felt = replace(look, blink=_blink(stage, moment), twitch=_twitch(moment), glance=float(np.sin(angle) * 0.6))
        pad = Pad(picture, (centre[0], centre[1] - breath * unit), unit)
        figure.draw(pad, felt, covered, fur)
        for piece in clothes:
            attire.put_on(pad, piece, stage.palette, float(np.sin(angle)))
        _draw_leaves(stage, picture, leaves, angle, behind=False)
        return picture

    return frame


def _blink(stage: Stage, moment: float) -> float:
    """Shut for a few frames twice in a film."""
    if not stage.moving:
        return 0.0
    return float(max(0.0, 1 - abs(moment - 0.45) * 26, 1 - abs(moment - 0.82) * 26))


def _twitch(moment: float) -> float:
    return float(np.sin((moment - 0.6) * 60) * np.exp(-(((moment - 0.62) / 0.05) ** 2)))


def _ground(stage: Stage, coat: Rgb) -> tuple[Floats, Frame]:
    """A soft gradient with a sun behind the head, as far from the coat in lightness as the palette allows; its rays."""
    palette = stage.palette
    bright = lightness(coat) < 0.62
    top, low = (palette.sky[-2], palette.sky[-1]) if bright else (palette.sky[1], palette.sky[2])
    canvas = paint.fade(stage, [mix(top, palette.accents[3], 0.25), mix(low, palette.accents[1], 0.15)])
    cloud = noise.resize(noise.clouds(stage.rng("ground"), 128, 128, 2.5), stage.width, stage.height)
    canvas *= 1.0 + np.float32(0.015) * cloud
    sun = palette.accents[1] if abs(lightness(palette.accents[1]) - lightness(coat)) > 0.08 else palette.accents[0]
    disc = scenery.disc(stage, 0.5, 0.47, 0.4)
    paint.glow(canvas, palette.light, scenery.halo(stage, 0.5, 0.47, 0.45, 1.5) * np.float32(0.5))
    paint.blend(canvas, mix(sun, low, 0.12), disc)
    x, y = stage.square()
    angle = np.arctan2(y + np.float32(0.03 * stage.height / stage.side), x + 0 * y)
    far = np.sqrt(x * x + y * y)
    outside = paint.smoothstep(0.40, 0.43, far) * (1 - disc) * np.exp(-np.maximum(far - 0.4, 0) * 1.4)
    index = ((angle / np.float32(2 * np.pi) + 0.5) * 2048).astype(np.int32)
    beam = paint.smoothstep(-0.2, 0.2, np.sin(np.linspace(0, 2 * np.pi * 18, 2048, endpoint=False, dtype=np.float32)))

    def rays(moment: float) -> Floats:
        turned = np.roll(beam, round(moment * 2048 / 18))
        light: Floats = turned[index & 2047] * outside * np.float32(0.34)
        return light

    return canvas, rays


def _leaves(stage: Stage) -> list[tuple[float, float, float, float, Rgb, bool]]:
    """Leaves at the lower corners: place, turn, length, tint, behind the animal or before it."""
    rng = stage.rng("leaves")
    palette = stage.palette
    green = mix(palette.accents[3], (0.16, 0.42, 0.3), 0.55)
    leaves = []
    for side in (-1.0, 1.0):
        for number in range(6):
            x = side * (0.5 * stage.width / stage.side + 0.06 - rng.uniform(0.0, 0.08))
            y = 0.5 * stage.height / stage.side + 0.05 - 0.035 * number
            turn = -side * (0.18 + 0.26 * number) + rng.uniform(-0.08, 0.08)
            tint = shift(green, light=rng.uniform(-0.12, 0.08), turn=rng.uniform(-0.03, 0.03))
            leaves.append((x, y, turn, rng.uniform(0.26, 0.42), tint, number % 2 == 0))
    return leaves


def _draw_leaves(
    stage: Stage,
    picture: Floats,
    leaves: list[tuple[float, float, float, float, Rgb, bool]],
    angle: float,
    behind: bool,
) -> None:
    pad = Pad(picture, (stage.width / 2, stage.height / 2), float(stage.side))
    blade = np.array(path("0,0 0.1,0.28 0.115,0.55 0.06,0.85 0,1.05 -0.06,0.85 -0.115,0.55 -0.1,0.28"))
    for x, y, turn, length, tint, back in leaves:
        if back != behind:
            continue
        swayed = turn + 0.03 * np.sin(angle + x * 5 + y * 9)
        rotate = np.array([[np.cos(swayed), np.sin(swayed)], [np.sin(swayed), -np.cos(swayed)]])
        outline = smooth(blade) * length @ rotate.T + (x, y)
        pad.fill(outline, shift(tint, light=0.06), to=shift(tint, light=-0.08))
        vein = np.array(path("-0.006,0 0.006,0 0,0.98")) * length @ rotate.T + (x, y)
        pad.fill(vein, shift(tint, light=0.14), alpha=0.8)
