"""A drawing pad: smooth outlines, strokes and ovals filled with shaded colour, antialiased, on planar colour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from services.generator.providers.procedural import noise
from services.generator.providers.procedural.colour import Rgb
from services.generator.providers.procedural.fields import Floats, Points

Pairs = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Patch:
    """Where a shape lies: the mask of its box, whose corner is (left, top) in pixels."""

    left: int
    top: int
    mask: Floats


def path(text: str, side: float = 1.0) -> Points:
    """Corners written as "x,y x,y …"; a `side` of -1 mirrors them."""
    points = np.array([[float(number) for number in pair.split(",")] for pair in text.split()])
    points[:, 0] *= side
    return points


def smooth(corners: Pairs | Points, steps: int = 10, closed: bool = True) -> Points:
    """A smooth curve through the corners."""
    points = np.asarray(corners, dtype=np.float64)
    if closed:
        before, after, beyond = np.roll(points, 1, 0), np.roll(points, -1, 0), np.roll(points, -2, 0)
    else:
        padded = np.concatenate([points[:1], points, points[-1:]])
        before, after, beyond = padded[:-3], padded[2:-1], padded[3:]
        points = padded[1:-2]
    t = np.linspace(0, 1, steps, endpoint=False)[:, None, None]
    curve = points + 0.5 * t * (
        after
        - before
        + t * (2 * before - 5 * points + 4 * after - beyond + t * (3 * (points - after) + beyond - before))
    )
    line: Points = curve.transpose(1, 0, 2).reshape(-1, 2)
    return line if closed else np.concatenate([line, np.asarray(corners, dtype=np.float64)[-1:]])


def mirrored(half: Pairs | Points) -> Points:
    """A closed outline from its right half, given from the top of the axis to its foot."""
    right = np.asarray(half, dtype=np.float64)
    left = right[1:-1][::-1] * [-1.0, 1.0]
    return np.concatenate([right, left])


def oval(x: float, y: float, a: float, b: float, turn: float = 0.0, steps: int = 48) -> Points:
    """An ellipse turned by `turn`."""
    way = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    px, py = a * np.cos(way), b * np.sin(way)
    return np.stack([x + px * np.cos(turn) - py * np.sin(turn), y + px * np.sin(turn) + py * np.cos(turn)], axis=1)


def stroke(corners: Pairs | Points, width: float, end: float = 0.15, curved: bool = True) -> Points:
    """A brush stroke along the corners: full in the middle, `end` of its width at both ends."""
    line = smooth(corners, 8, closed=False) if curved else np.asarray(corners, dtype=np.float64)
    way = np.gradient(line, axis=0)
    way /= np.linalg.norm(way, axis=1, keepdims=True) + 1e-9
    t = np.linspace(0, 1, len(line))
    half = width / 2 * (end + (1 - end) * np.sin(np.pi * t) ** 0.7)
    side = np.stack([-way[:, 1], way[:, 0]], axis=1) * half[:, None]
    return np.concatenate([line + side, (line - side)[::-1]])


class Pad:
    """Draws in its own units around a centre, on part of a canvas."""

    def __init__(self, canvas: Floats, centre: tuple[float, float], unit: float) -> None:
        self._canvas = canvas
        self._centre = centre
        self.unit = unit

    def moved(self, dx: float, dy: float, scale: float = 1.0) -> "Pad":
        """A pad whose centre is (dx, dy) units away."""
        centre = (self._centre[0] + dx * self.unit, self._centre[1] + dy * self.unit)
        return Pad(self._canvas, centre, self.unit * scale)

    def patch(self, outline: Points, soft: float = 0.0) -> Patch | None:
        """The mask of an outline; `soft` blurs it, in units. None when it lies outside."""
        points = outline * self.unit + self._centre
        margin = 2 + int(3 * soft * self.unit)
        height, width = self._canvas.shape[1:]
        left, top = (max(0, int(v) - margin) for v in points.min(axis=0))
        right, low = (int(v) + margin + 1 for v in points.max(axis=0))
        right, low = min(right, width), min(low, height)
        if right - left < 1 or low - top < 1:
            return None
        scale = 2 if (right - left) * (low - top) > 200_000 else 4
        image = Image.new("L", ((right - left) * scale, (low - top) * scale))
        moved = ((points - (left, top)) * scale - 0.5).ravel().tolist()
        ImageDraw.Draw(image).polygon(moved, fill=255)
        mask = np.asarray(image.reduce(scale), np.float32) * np.float32(1 / 255)
        if soft:
            mask = noise.blur(mask, soft * self.unit)
        return Patch(left, top, mask)

    def fill(
        self,
        outline: Points,
        colour: Rgb,
        *,
        to: Rgb | None = None,
        turn: float = 0.0,
        alpha: float = 1.0,
        soft: float = 0.0,
        within: Patch | None = None,
    ) -> Patch | None:
        """Fill an outline; `to` is the colour at its foot (at its right with `turn` of a quarter)."""
        patch = self.patch(outline, soft)
        if patch is None:
            return None
        mask = patch.mask if within is None else patch.mask * _seen(within, patch)
        self.lay(Patch(patch.left, patch.top, mask), colour, to, turn, alpha)
        return patch

    def lay(self, patch: Patch, colour: Rgb, to: Rgb | None = None, turn: float = 0.0, alpha: float = 1.0) -> None:
        """Lay a colour over a patch."""
        height, width = patch.mask.shape
        below = self._canvas[:, patch.top : patch.top + height, patch.left : patch.left + width]
        mask = patch.mask if alpha == 1.0 else patch.mask * np.float32(alpha)
        if to is None:
            for channel in range(3):
                below[channel] += (np.float32(colour[channel]) - below[channel]) * mask
            return
        x, y = np.linspace(0, 1, width, dtype=np.float32)[None], np.linspace(0, 1, height, dtype=np.float32)[:, None]
        share = np.clip(x * np.float32(np.sin(turn * 2 * np.pi)) + y * np.float32(np.cos(turn * 2 * np.pi)), 0, 1)
        for channel in range(3):
            tint = np.float32(colour[channel]) + np.float32(to[channel] - colour[channel]) * share
            below[channel] += (tint - below[channel]) * mask

    def shade(self, patch: Patch, amount: Floats) -> None:
        """Multiply what lies in a patch by a field of its size."""
        height, width = patch.mask.shape
        below = self._canvas[:, patch.top : patch.top + height, patch.left : patch.left + width]
        below *= 1.0 + (amount - 1.0) * patch.mask

    def places(self, patch: Patch) -> tuple[Floats, Floats]:
        """The pad's units at each pixel of a patch."""
        height, width = patch.mask.shape
        x = (np.arange(width, dtype=np.float32) + np.float32(patch.left + 0.5 - self._centre[0])) / np.float32(
            self.unit
        )
        y = (np.arange(height, dtype=np.float32) + np.float32(patch.top + 0.5 - self._centre[1])) / np.float32(
            self.unit
        )
        return x[None], y[:, None]


def _seen(patch: Patch, window: Patch) -> Floats:
    """The mask of a patch as it lies in the box of another."""
    height, width = window.mask.shape
    seen = np.zeros((height, width), np.float32)
    top, left = max(patch.top, window.top), max(patch.left, window.left)
    low = min(patch.top + patch.mask.shape[0], window.top + height)
    right = min(patch.left + patch.mask.shape[1], window.left + width)
    if low > top and right > left:
        part = patch.mask[top - patch.top : low - patch.top, left - patch.left : right - patch.left]
        seen[top - window.top : low - window.top, left - window.left : right - window.left] = part
    return seen
