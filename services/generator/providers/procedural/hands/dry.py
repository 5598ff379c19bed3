"""Dry hands: pencil sketch, cut paper."""

import numpy as np

from services.generator.providers.procedural import noise, paint
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.hands.plain import Hand, Levels, grain, luma, steepness
from services.generator.providers.procedural.stage import Stage

LAYERS = 7


def sketch(stage: Stage) -> Hand:
    """Pencil on toothed paper: outlines, hatching that thickens with the dark, some coloured pencil."""
    unit = stage.side / 1024
    tooth = grain(stage, "tooth", 0.7)
    hatches = [_hatch(stage, label, lean, unit) for label, lean in (("first hatch", 1.0), ("second hatch", -0.8))]
    sheet = np.array([0.972, 0.965, 0.945], np.float32)[:, None, None] * (1.0 + np.float32(0.01) * tooth)
    lead = np.array([0.17, 0.17, 0.2], np.float32)[:, None, None]
    levels = Levels(0.62)

    def apply(canvas: Floats, moment: float) -> Floats:
        light = levels(luma(canvas))
        around = noise.blur(light, 5.0 * unit)
        outline = np.clip(1.0 - light / (around + np.float32(0.04)), 0.0, 0.6)
        outline += np.clip(steepness(noise.blur(light, 1.2 * unit)) * np.float32(6.0) - 0.1, 0.0, 0.7)
        dark = 1.0 - around
        shade = paint.smoothstep(-0.35, 0.35, hatches[0] + dark * 1.9 - 1.05) * dark * np.float32(0.6)
        shade += paint.smoothstep(-0.3, 0.3, hatches[1] + dark * 2.0 - 1.6) * dark * np.float32(0.4)
        mark = np.clip((outline + shade) * (1.0 + np.float32(0.22) * tooth), 0.0, 0.9)
        out: Floats = sheet + (canvas - sheet) * np.clip((shade + 0.12) * 0.55, 0.0, 0.5)
        out += (lead - out) * mark
        return out

    return apply


def _hatch(stage: Stage, label: str, lean: float, unit: float) -> Floats:
    """Slanted strokes, about -1..1."""
    field = noise.clouds(stage.rng(label), 512, 512, 0.8, 20.0, 14.0)
    rows = np.arange(stage.height, dtype=np.float32)[:, None]
    columns = np.arange(stage.width, dtype=np.float32)[None]
    scale = np.float32(0.62 / unit)
    across = (columns + rows * np.float32(lean)) * scale
    along = (rows - columns * np.float32(lean)) * scale
    strokes: Floats = noise.sample_smooth(field, along * np.float32(0.7), across * np.float32(0.7)) * np.float32(0.6)
    return np.clip(strokes, -1, 1)


def paper(stage: Stage) -> Hand:
    """Sheets of coloured paper laid one on the other, each with its shadow."""
    unit = stage.side / 1024
    fibre = 1.0 + np.float32(0.02) * grain(stage, "fibre", 1.2)
    levels = Levels(0.5)

    def apply(canvas: Floats, moment: float) -> Floats:
        grey = luma(canvas)
        light = noise.blur(levels(grey), 4.5 * unit) * np.float32(LAYERS)
        slope = np.maximum(steepness(light), np.float32(0.006))
        edge = np.round(light)
        # Between two sheets the step is as wide as a pixel, so that the cut is clean.
        sheet = edge + np.clip((light - edge) / slope, -0.5, 0.5)
        sheet = np.where(np.abs(light - edge) < 0.5, sheet, edge)
        lift = noise.blur(np.roll(sheet, (round(7 * unit), round(5 * unit)), axis=(0, 1)), 7 * unit)
        shadow = np.clip(lift - sheet, 0.0, 1.4) * np.float32(0.24)
        level = np.clip(sheet / np.float32(LAYERS), 0.0, 1.0) ** np.float32(1.05)
        tone = level * np.float32(0.86) + np.float32(0.07)
        out = np.empty_like(canvas)
        for channel in range(3):
            tint = noise.blur(canvas[channel] - grey, 4.0 * unit)
            out[channel] = tone + tint * np.float32(1.15)
        out *= 1.0 - shadow
        out *= fibre
        return out

    return apply
