"""What an animal or a person may wear: glasses, bow tie, scarf, crown, hat, headphones."""

from collections.abc import Callable

import numpy as np

from services.generator.providers.procedural.colour import Rgb, mix, shift
from services.generator.providers.procedural.fields import Points
from services.generator.providers.procedural.pad import Pad, mirrored, oval, path, smooth, stroke
from services.generator.providers.procedural.palettes import Palette
from services.generator.providers.procedural.stage import Stage

# In drawing order.
WORDS = {
    "sunglasses": "sunglasses shades cool",
    "glasses": "glasses spectacles",
    "bow": "bow papillon tie cravate tuxedo smoking elegant elegante chic",
    "scarf": "scarf echarpe winter hiver neige snow",
    "crown": "crown couronne king roi queen reine prince princess princesse royal",
    "hat": "hat chapeau wizard sorcier magicien magician party fete birthday anniversaire",
    "headphones": "headphones casque music musique dj astronaut",
}


def worn(stage: Stage) -> list[str]:
    """What the prompt asks for, in drawing order."""
    return stage.asked(WORDS)


def put_on(pad: Pad, name: str, palette: Palette, moment_light: float) -> None:
    """Draw one piece over the animal; `moment_light` moves the gleam on glass."""
    _PIECES[name](pad, palette, moment_light)


def _lens(side: float, grow: float) -> Points:
    half_w, half_h = 0.182 + grow, 0.142 + grow
    x, y = 0.213, -0.03
    corners = path("-1,-0.62 -0.72,-0.97 0,-1 0.8,-1.04 1.06,-0.82 1,-0.1 0.74,0.72 0.2,1 -0.4,0.94 -0.86,0.4")
    points = np.array([(x + a * half_w, y + b * half_h) for a, b in corners])
    return smooth(points * [side, 1.0])


def _sunglasses(pad: Pad, palette: Palette, light: float) -> None:
    frame = mix(palette.ink, (0.04, 0.04, 0.06), 0.75)
    pad.fill(oval(0, 0.13, 0.43, 0.06), (0.0, 0.0, 0.0), alpha=0.16, soft=0.03)
    for side in (-1.0, 1.0):
        pad.fill(stroke(path("0.36,-0.11 0.45,-0.125 0.515,-0.12", side), 0.05, 0.8), frame)
        pad.fill(_lens(side, 0.026), shift(frame, light=0.1), to=frame)
    pad.fill(stroke(path("-0.06,-0.07 0,-0.095 0.06,-0.07"), 0.045, 0.9), frame)
    top, middle, low = shift(palette.sky[0], light=-0.05), palette.accents[0], palette.accents[1]
    for side in (-1.0, 1.0):
        outline = _lens(side, 0.0)
        lens = pad.fill(outline, mix(top, (0.02, 0.02, 0.05), 0.5), to=middle)
        # A sunset in each glass.
        x = 0.213 * side
        pad.fill(oval(x - 0.05, 0.075, 0.05, 0.05), mix(low, (1.0, 0.95, 0.8), 0.5), within=lens, alpha=0.95)
        sea = np.array([(x - 0.3, 0.08), (x + 0.3, 0.08), (x + 0.3, 0.3), (x - 0.3, 0.3)])
        pad.fill(sea, mix(top, palette.accents[3], 0.4), to=shift(top, light=-0.05), within=lens, alpha=0.92)
        for row in range(3):
            pad.fill(
                stroke(
                    [(x - 0.085 + 0.012 * row, 0.095 + 0.018 * row), (x - 0.015 - 0.012 * row, 0.095 + 0.018 * row)],
                    0.008,
                    curved=False,
                ),
                low,
                within=lens,
                alpha=0.8,
            )
        shift_x = x - 0.05 + light * 0.1
        for offset, width in ((0.0, 0.042), (0.068, 0.016)):
            left = shift_x + offset
            band = np.array([(left, -0.2), (left + width, -0.2), (left + width - 0.13, 0.2), (left - 0.13, 0.2)])
            pad.fill(band, (1.0, 1.0, 1.0), alpha=0.3, within=lens)
    for side in (-1.0, 1.0):
        pad.fill(stroke(path("0.07,-0.155 0.2,-0.162 0.36,-0.155", side), 0.012), (1.0, 1.0, 1.0), alpha=0.35)


def _glasses(pad: Pad, palette: Palette, light: float) -> None:
    frame = mix(palette.accents[0], palette.ink, 0.55)
    for side in (-1.0, 1.0):
        ring = oval(side * 0.205, -0.01, 0.165, 0.165)
        hole = oval(side * 0.205, -0.01, 0.142, 0.142)
        pad.fill(np.concatenate([ring, ring[:1], hole[:1], hole[::-1]]), frame)
        lens = pad.fill(hole, (1.0, 1.0, 1.0), alpha=0.1)
        x = side * 0.205 - 0.06 + light * 0.08
        pad.fill(
            np.array([(x, -0.2), (x + 0.05, -0.2), (x - 0.06, 0.2), (x - 0.11, 0.2)]),
            (1.0, 1.0, 1.0),
            alpha=0.25,
            within=lens,
        )
        pad.fill(stroke([(side * 0.36, -0.04), (side * 0.5, -0.08)], 0.026, 0.8, curved=False), frame)
    pad.fill(stroke(path("-0.05,-0.03 0,-0.05 0.05,-0.03"), 0.026, 0.9), frame)


def _bow(pad: Pad, palette: Palette, light: float) -> None:
    tint = palette.accents[0]
    for side in (-1.0, 1.0):
        wing = path("0,0.5 0.1,0.44 0.24,0.4 0.27,0.52 0.24,0.63 0.1,0.57", side)
        pad.fill(smooth(wing), shift(tint, light=0.04), to=shift(tint, light=-0.1))
        pad.fill(stroke(path("0.05,0.5 0.12,0.49 0.19,0.46", side), 0.014), shift(tint, light=-0.16), alpha=0.8)
    pad.fill(oval(0, 0.51, 0.055, 0.062), shift(tint, light=0.06), to=shift(tint, light=-0.08))


def _scarf(pad: Pad, palette: Palette, light: float) -> None:
    tint, band = palette.accents[0], palette.paper
    wrap = path("-0.42,0.36 -0.2,0.44 0,0.46 0.2,0.44 0.42,0.36 0.46,0.5 0.24,0.62 0,0.64 -0.24,0.62 -0.46,0.5")
    scarf = pad.fill(smooth(wrap), shift(tint, light=0.03), to=shift(tint, light=-0.1))
    tail = path("0.1,0.56 0.26,0.54 0.31,0.8 0.3,1.02 0.14,1.03 0.12,0.8")
    end = pad.fill(smooth(tail), tint, to=shift(tint, light=-0.1))
    for x in (-0.3, -0.1, 0.1, 0.3):
        pad.fill(stroke([(x, 0.34), (x * 1.08, 0.5), (x * 0.95, 0.66)], 0.05, 0.9), band, alpha=0.75, within=scarf)
    for y in (0.72, 0.86):
        pad.fill(stroke([(0.05, y), (0.36, y - 0.02)], 0.04, 0.9, curved=False), band, alpha=0.75, within=end)


def _crown(pad: Pad, palette: Palette, light: float) -> None:
    gold = mix(palette.accents[1], (0.95, 0.76, 0.25), 0.7)
    half = path("0,-0.72 0.045,-0.56 0.16,-0.67 0.17,-0.52 0.29,-0.6 0.25,-0.36 0,-0.33")
    right = np.asarray(half)
    outline = np.concatenate([right, right[1:-1][::-1] * [-1.0, 1.0]])
    pad.fill(outline, shift(gold, light=0.08), to=shift(gold, light=-0.12))
    for x, y in path("0,-0.73 0.16,-0.68 -0.16,-0.68 0.29,-0.61 -0.29,-0.61"):
        pad.fill(oval(x, y, 0.024, 0.024), shift(gold, light=0.1))
    for x, tint in ((0.0, palette.accents[0]), (0.13, palette.accents[3]), (-0.13, palette.accents[3])):
        pad.fill(oval(x, -0.42, 0.03, 0.036), shift(tint, light=0.1), to=shift(tint, light=-0.12))


def _hat(pad: Pad, palette: Palette, light: float) -> None:
    tint = palette.accents[3]
    pad.fill(
        smooth(mirrored(path("0,-0.92 0.2,-0.91 0.22,-0.6 0.24,-0.36 0,-0.32")), 6),
        shift(tint, light=-0.02),
        to=shift(tint, light=-0.12),
    )
    pad.fill(smooth(path("-0.24,-0.47 0,-0.43 0.24,-0.47 0.245,-0.38 0,-0.335 -0.245,-0.38")), palette.accents[0])
    pad.fill(oval(0, -0.34, 0.42, 0.065), shift(tint, light=-0.06), to=shift(tint, light=-0.16))


def _headphones(pad: Pad, palette: Palette, light: float) -> None:
    tint: Rgb = mix(palette.ink, (0.1, 0.1, 0.12), 0.4)
    way = np.linspace(np.pi * 1.02, np.pi * 1.98, 24)
    outer, inner = (
        np.stack([np.cos(way) * 0.56, np.sin(way) * 0.5 - 0.02], 1),
        np.stack([np.cos(way) * 0.51, np.sin(way) * 0.45 - 0.02], 1),
    )
    pad.fill(np.concatenate([outer, inner[::-1]]), shift(tint, light=0.1), to=tint)
    for side in (-1.0, 1.0):
        pad.fill(
            oval(side * 0.535, 0.02, 0.085, 0.16),
            shift(palette.accents[0], light=0.03),
            to=shift(palette.accents[0], light=-0.12),
        )
        pad.fill(oval(side * 0.495, 0.02, 0.05, 0.15), tint)


_PIECES: dict[str, Callable[[Pad, Palette, float], None]] = {
    "sunglasses": _sunglasses,
    "glasses": _glasses,
    "bow": _bow,
    "scarf": _scarf,
    "crown": _crown,
    "hat": _hat,
    "headphones": _headphones,
}
