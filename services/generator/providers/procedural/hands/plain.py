"""Hands that keep the scene's colours: illustration, photo, relief; and what all hands share."""

from collections.abc import Callable

import numpy as np

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Stage

Hand = Callable[[Floats, float], Floats]
"""Changes a canvas at a moment of the film; it may write into the canvas it was given."""


def luma(canvas: Floats) -> Floats:
    """How light each point is, 0..1."""
    light: Floats = canvas[0] * np.float32(0.299)
    light += canvas[1] * np.float32(0.587)
    light += canvas[2] * np.float32(0.114)
    return light


def steepness(field: Floats) -> Floats:
    """How fast a field changes at each point, a pixel."""
    steep = np.zeros_like(field)
    across = np.abs(field[:, 2:] - field[:, :-2])
    down = np.abs(field[2:] - field[:-2])
    steep[:, 1:-1] = across
    steep[1:-1] += down
    steep *= np.float32(0.5)
    return steep


def grain(stage: Stage, label: str, beta: float, size: int = 512, low: float = 12.0) -> Floats:
    """Noise of mean 0 and deviation 1 that covers the stage, tiled without a seam; no wave longer than size / low."""
    tile = noise.clouds(stage.rng(label), size, size, beta, low)
    return np.tile(tile, (-(-stage.height // size), -(-stage.width // size)))[: stage.height, : stage.width]


class Levels:
    """Stretches the light of a film between the dark and light ends of its first frame, with a wished middle."""

    def __init__(self, middle: float) -> None:
        self._middle = middle
        self._found: tuple[float, float, float] | None = None

    def __call__(self, light: Floats) -> Floats:
        low, scale, power = self._found or self._find(light)
        within = np.clip((light - np.float32(low)) * np.float32(scale), 0.0, 1.0)
        stretched: Floats = within ** np.float32(power)
        return stretched

    def _find(self, light: Floats) -> tuple[float, float, float]:
        few = light[::7, ::7]
        low, middle, high = (float(v) for v in np.percentile(few, [1.5, 50, 98.5]))
        scale = 1.0 / max(high - low, 0.15)
        at = min(max((middle - low) * scale, 0.04), 0.96)
        power = min(max(np.log(self._middle) / np.log(at), 0.35), 2.2)
        self._found = (low, scale, float(power))
        return self._found


def illustration(stage: Stage) -> Hand:
    """Clean colour with a breath of paper grain."""
    tooth = 1.0 + np.float32(0.0095) * grain(stage, "grain", 0.7, low=28.0)

    def apply(canvas: Floats, moment: float) -> Floats:
        canvas *= tooth
        return canvas

    return apply


def photo(stage: Stage) -> Hand:
    """A film curve, a little bloom, vignette, and grain."""
    x, y = stage.square()
    reach = np.sqrt(x * x + y * y) / np.float32(max(1.0, stage.landscape, 1 / stage.landscape) ** 0.5)
    vignette = 1.0 - np.float32(0.42) * paint.smoothstep(0.3, 0.95, reach)
    # Grain that changes with every frame is what a film spends its bits on.
    noisy = grain(stage, "grain", 0.4) * np.float32(0.008 if stage.moving else 0.021)

    def apply(canvas: Floats, moment: float) -> Floats:
        bright = noise.blur(np.maximum(luma(canvas) - np.float32(0.62), 0.0), stage.side / 28)
        canvas += bright * np.float32(0.3)
        canvas *= vignette
        np.clip(canvas, 0.0, 1.0, out=canvas)
        curved = canvas * canvas
        curved *= 3.0 - 2.0 * canvas
        curved -= canvas
        curved *= np.float32(0.4)
        canvas += curved
        # Grain jumps from frame to frame, as on film.
        canvas += np.roll(noisy, (int(moment * 9773) % 509, int(moment * 15431) % 503), axis=(0, 1))
        return canvas

    return apply


def relief(stage: Stage) -> Hand:
    """As if modelled in clay: lit from the upper left, with a soft sheen."""
    unit = stage.side / 1024

    def apply(canvas: Floats, moment: float) -> Floats:
        light = luma(canvas)
        height = noise.blur(light, 3.2 * unit) * np.float32(0.55) + noise.blur(light, 11 * unit) * np.float32(0.9)
        slope = np.zeros_like(light)
        slope[1:-1, 1:-1] = height[2:, 1:-1] - height[:-2, 1:-1] + height[1:-1, 2:] - height[1:-1, :-2]
        slope *= np.float32(9.0 * unit)
        hollow = np.clip(noise.blur(light, 26 * unit) - light, -0.35, 0.35)
        shade = 1.0 + np.tanh(slope) * np.float32(0.42) - np.maximum(hollow, 0) * np.float32(0.5)
        sheen = np.exp(-((slope - np.float32(0.55)) ** 2) * np.float32(26.0)) * np.float32(0.2)
        out = np.stack([noise.blur(plane, 1.6 * unit) for plane in canvas])
        out *= shade
        out += (1.0 - out) * sheen
        return out

    return apply
