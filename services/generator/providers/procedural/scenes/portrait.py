"""A head in profile as a window: inside it another landscape, around it a quiet sun."""

import importlib

import numpy as np

from services.generator.providers.procedural import noise, paint, scenery
from services.generator.providers.procedural.colour import lightness, mix, shift
from services.generator.providers.procedural.fields import Floats, Points
from services.generator.providers.procedural.pad import Pad, path, smooth, stroke
from services.generator.providers.procedural.stage import Frame, Rng, Stage

# Profiles look to the right: from the hairline over face, chin and throat to the chest, in heads.
FACE: Points = path(
    "0.1,-0.52 0.205,-0.47 0.262,-0.38 0.285,-0.27 0.283,-0.2 0.275,-0.155 0.285,-0.12 0.325,-0.045 "
    "0.358,0.012 0.366,0.035 0.35,0.058 0.305,0.068 0.29,0.082 0.296,0.102 0.318,0.122 0.322,0.14 "
    "0.303,0.156 0.292,0.164 0.306,0.18 0.309,0.2 0.288,0.22 0.272,0.238 0.276,0.262 0.287,0.29 "
    "0.276,0.325 0.238,0.35 0.18,0.358 0.12,0.362 0.078,0.385 0.062,0.43 0.066,0.5 0.09,0.56 "
    "0.18,0.62 0.32,0.7 0.44,0.82 0.5,1 0.54,1.4 0.56,2.4"
)


def _curls() -> Points:
    """Hair as a cloud of round locks, from the nape to the forehead."""
    way = np.linspace(2.35, 5.35, 181)
    locks = 0.055 * np.abs(np.sin((way - 2.35) / 3.0 * np.pi * 11)) ** 0.6
    reach = 0.47 + 0.03 * np.sin(way * 2.0) + locks
    crown = np.stack([np.cos(way) * reach * 0.98 - 0.06, np.sin(way) * reach * 1.08 - 0.12], axis=1)
    return np.concatenate([path("-0.6,2.4 -0.57,1.3 -0.5,0.95 -0.38,0.76 -0.27,0.62 -0.22,0.5 -0.24,0.36"), crown[::3]])


BACK: dict[str, Points] = {
    "short": path(
        "-0.6,2.4 -0.58,1.3 -0.52,0.95 -0.42,0.74 -0.3,0.62 -0.235,0.54 -0.215,0.44 -0.235,0.32 "
        "-0.29,0.18 -0.335,0.02 -0.345,-0.16 -0.31,-0.34 -0.21,-0.49 -0.06,-0.555"
    ),
    "bun": path(
        "-0.6,2.4 -0.56,1.3 -0.48,0.95 -0.36,0.74 -0.22,0.62 -0.165,0.54 -0.155,0.42 -0.19,0.28 "
        "-0.25,0.18 -0.31,0.08 -0.4,0.1 -0.5,0.06 -0.545,-0.06 -0.53,-0.18 -0.45,-0.25 -0.365,-0.25 "
        "-0.32,-0.36 -0.21,-0.5 -0.06,-0.56"
    ),
    "long": path(
        "-0.64,2.4 -0.62,1.3 -0.56,0.98 -0.5,0.78 -0.47,0.6 -0.45,0.4 -0.42,0.2 -0.405,0 -0.4,-0.18 "
        "-0.355,-0.37 -0.24,-0.52 -0.07,-0.585"
    ),
    "curls": _curls(),
}
NAMED_WORLDS = {
    "forest": "forest foret wood tree arbre",
    "mountains": "mountain montagne",
    "sea": "sea mer ocean",
    "city": "city ville",
    "aurora": "aurora",
    "night": "night nuit star etoile",
}
WORLDS = ("mountains", "forest", "night", "sea", "aurora")


def compose(stage: Stage) -> Frame:
    """The ground, the inner landscape seen through the head, hair and rim light."""
    rng = stage.rng("portrait")
    palette = stage.palette
    ground, sun = _ground(stage, rng)
    outline, pad_at = _outline(stage, rng)
    head = Pad(ground, *pad_at).patch(outline)
    mask = np.zeros((stage.height, stage.width), np.float32)
    if head is not None:
        mask[head.top : head.top + head.mask.shape[0], head.left : head.left + head.mask.shape[1]] = head.mask
    inner = _world(stage, rng)
    dark = shift(mix(palette.ink, palette.near, 0.5), light=-0.02)
    unit = pad_at[1]
    soft = noise.blur(mask, 0.02 * unit)
    # Deep tone towards the rim keeps the profile legible before any landscape.
    rim = mask * np.clip(1.35 - soft, 0.0, 1.0)
    x, y = stage.grid()
    low = paint.smoothstep(0.62, 1.05, y) * np.ones_like(x)
    birds = _birds(rng)

    def frame(moment: float) -> Floats:
        picture = ground.copy()
        pulse = 0.55 + 0.1 * np.sin(stage.turns(moment, 5.0))
        paint.glow(picture, palette.light, sun * np.float32(pulse))
        _fly(stage, picture, birds, moment)
        inside = inner(moment)
        paint.blend(inside, dark, np.clip(low * 0.75 + rim * 0.5, 0, 0.92))
        paint.blend(picture, inside, mask)
        return picture

    return frame


def _ground(stage: Stage, rng: Rng) -> tuple[Floats, Floats]:
    palette = stage.palette
    light = palette.paper if not palette.dark else mix(palette.sky[-1], palette.paper, 0.35)
    canvas = paint.fade(stage, [mix(light, palette.sky[-2], 0.25), light])
    cloud = noise.resize(noise.clouds(stage.rng("ground"), 128, 128, 2.5), stage.width, stage.height)
    canvas *= 1.0 + np.float32(0.014) * cloud
    place = (0.5, 0.43)
    disc = scenery.disc(stage, *place, 0.36)
    warm = palette.accents[0] if abs(lightness(palette.accents[0]) - lightness(light)) > 0.1 else palette.accents[1]
    paint.blend(canvas, mix(warm, palette.accents[1], 0.35), disc * np.float32(0.9))
    return canvas, scenery.halo(stage, *place, 0.5, 1.6)


def _outline(stage: Stage, rng: Rng) -> tuple[Points, tuple[tuple[float, float], float]]:
    """The whole profile and where it stands."""
    woman = stage.has("woman", "femme", "girl", "fille", "lady", "dame", "queen", "reine", "mother", "mere", "elle")
    man = stage.has("man", "homme", "boy", "garcon", "king", "roi", "father", "pere", "lui")
    styles = ["bun", "long", "curls"] if woman else ["short", "curls"] if man else list(BACK)
    back = BACK[str(rng.choice(styles))]
    points = smooth([*FACE, *back], 6)
    if rng.random() < 0.5:
        points = points * [-1.0, 1.0]
    unit = 0.66 * min(stage.side, stage.height * 0.98)
    return points, ((stage.width / 2 + rng.uniform(-0.01, 0.01) * unit, stage.height * 0.5 - 0.03 * unit), unit)


def _world(stage: Stage, rng: Rng) -> Frame:
    """The landscape inside: one the prompt names, or any."""
    wanted = stage.asked(NAMED_WORLDS)
    name = wanted[0] if wanted else str(rng.choice(WORLDS))
    module = importlib.import_module(f"services.generator.providers.procedural.scenes.{name}")
    made: Frame = module.compose(stage)
    return made


def _birds(rng: Rng) -> list[tuple[float, float, float, float]]:
    return [
        (rng.uniform(-0.1, 0.2), rng.uniform(-0.08, 0.08), rng.uniform(0.016, 0.03), rng.uniform(0, 6.28))
        for _ in range(6)
    ]


def _fly(stage: Stage, picture: Floats, birds: list[tuple[float, float, float, float]], moment: float) -> None:
    """A few birds that leave the crown of the head."""
    pad = Pad(picture, (stage.width * 0.68, stage.height * 0.18), float(stage.side))
    ink = mix(stage.palette.ink, stage.palette.near, 0.3)
    for x, y, size, phase in birds:
        beat = np.sin(stage.turns(moment, 0.8) + phase)
        drift = 0.02 * np.sin(stage.turns(moment, 4.0) + phase)
        at = (x * 1.6 + drift, y * 1.6)
        wings = [
            (at[0] - size, at[1] - size * 0.45 * beat),
            (at[0] - size * 0.4, at[1] - size * 0.35),
            at,
            (at[0] + size * 0.4, at[1] - size * 0.35),
            (at[0] + size, at[1] - size * 0.45 * beat),
        ]
        pad.fill(stroke(wings, size * 0.3, 0.1), ink)
