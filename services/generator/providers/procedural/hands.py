"""The hand: how a style changes a finished scene; unknown styles draw as illustrations."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.stage import Stage

Floats = NDArray[np.float32]
Hand = Callable[[Floats, float], Floats]
"""Changes a canvas at a moment of the film; it may write into the canvas it was given."""


def illustration(stage: Stage) -> Hand:
    """Clean colour with a breath of paper grain."""
    grain = 1.0 + 0.012 * _grain(stage, "grain", 0.8)

    def apply(canvas: Floats, moment: float) -> Floats:
        canvas *= grain
        return canvas

    return apply


def photo(stage: Stage) -> Hand:
    """A film curve, a little bloom, vignette, and grain that is strongest in the middle tones."""
    x, y = stage.square()
    vignette = 1.0 - 0.38 * paint.smoothstep(0.35, 1.15, np.sqrt(x * x + y * y) / max(1.0, stage.landscape**0.5))
    grain = _grain(stage, "grain", 0.5) * np.float32(0.022)

    def apply(canvas: Floats, moment: float) -> Floats:
        bright = noise.blur(np.maximum(canvas.mean(axis=0) - 0.6, 0.0), stage.side / 40)
        canvas += bright * np.float32(0.35)
        canvas *= vignette
        np.clip(canvas, 0.0, 1.0, out=canvas)
        curved = canvas * canvas * (3.0 - 2.0 * canvas)
        canvas += (curved - canvas) * np.float32(0.35)
        canvas += np.roll(grain, (int(moment * 977) % 89, int(moment * 1543) % 97), axis=(0, 1))
        return canvas

    return apply


def _grain(stage: Stage, label: str, beta: float) -> Floats:
    tile = noise.clouds(stage.rng(label), 512, 512, beta, 4.0)
    return np.tile(tile, (-(-stage.height // 512), -(-stage.width // 512)))[: stage.height, : stage.width]


HANDS: dict[str, Callable[[Stage], Hand]] = {"illustration": illustration, "photo": photo}


def named(style: str | None) -> str:
    """The hand a style's name calls."""
    return "photo" if style and "photo" in style.lower() else "illustration"
