"""Bright hands: neon tubes in the dark, anime cels."""

import numpy as np

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.hands.plain import Hand, luma, steepness
from services.generator.providers.procedural.stage import Stage


def neon(stage: Stage) -> Hand:
    """Edges shine as tubes in the purest form of their colour; the rest sinks into violet dark."""
    unit = stage.side / 1024
    deep = np.array([0.055, 0.02, 0.12], np.float32)[:, None, None]
    first = np.array(stage.palette.accents[0], np.float32)
    second = np.array(stage.palette.accents[2], np.float32)
    y = stage.grid()[1][None]
    own = first[:, None, None] * (1 - y) + second[:, None, None] * y

    def apply(canvas: Floats, moment: float) -> Floats:
        light = luma(canvas)
        soft = noise.blur(light, 1.6 * unit)
        edge = np.clip(steepness(soft) * np.float32(15 * unit) - 0.05, 0.0, 1.0)
        tube = np.clip(noise.blur(edge, 1.3 * unit) * np.float32(1.6), 0.0, 1.0)
        pure = _pure(canvas, own)
        shine = noise.blur(tube, 9 * unit) * np.float32(1.0) + noise.blur(tube, 40 * unit) * np.float32(1.1)
        pulse = np.float32(1.0 + 0.12 * np.sin(stage.turns(moment, 3.0)))
        out: Floats = deep + canvas * canvas * np.float32(0.34)
        out += pure * (shine * pulse)
        out += (1.0 - out) * tube * (pure * np.float32(0.7) + np.float32(0.3))
        return out

    return apply


def _pure(canvas: Floats, own: Floats) -> Floats:
    """Each colour at full strength and chroma; greys take the palette's."""
    low, high = canvas.min(axis=0), canvas.max(axis=0)
    spread = high - low
    pure: Floats = (canvas - low) / (spread + np.float32(0.02))
    certain = paint.smoothstep(0.08, 0.3, spread / (high + np.float32(0.05)))
    return own + (pure - own) * certain


def anime(stage: Stage) -> Hand:
    """Clear colour in few tones, thin dark lines, light that blooms."""
    unit = stage.side / 1024

    def apply(canvas: Floats, moment: float) -> Floats:
        light = luma(canvas)
        soft = noise.blur(light, 1.6 * unit)
        steps = soft * np.float32(7)
        slope = np.maximum(steepness(steps), np.float32(0.02))
        cel = np.round(steps)
        cel += np.clip((steps - cel) / slope, -0.5, 0.5)
        target = cel / np.float32(7)
        out: Floats = light + (canvas - light) * np.float32(1.32)
        out += (target - soft) * np.float32(0.55) + np.float32(0.025)
        line = np.clip(steepness(noise.blur(light, 0.9 * unit)) * np.float32(6.5) - 0.4, 0.0, 0.8)
        out *= 1.0 - line
        shine = noise.blur(np.maximum(light - np.float32(0.7), 0.0), 30 * unit) * np.float32(0.7)
        out += (1.0 - out) * shine
        return out

    return apply
