"""Noise: tileable clouds by inverse Fourier transform, ridges in one dimension, smooth resizing."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.generator.providers.procedural.fields import Floats

Rng = np.random.Generator


def resize(field: Floats, width: int, height: int, smooth: bool = True) -> Floats:
    """A field at another resolution; growing is bicubic, shrinking averages."""
    if field.shape == (height, width):
        return field
    shrink = width < field.shape[1]
    method = Image.Resampling.BOX if shrink else (Image.Resampling.BICUBIC if smooth else Image.Resampling.BILINEAR)
    return np.asarray(Image.fromarray(np.ascontiguousarray(field)).resize((width, height), method))


def clouds(rng: Rng, height: int, width: int, beta: float = 2.0, low: float = 1.0, stretch: float = 1.0) -> Floats:
    """Tileable noise of mean 0 and deviation 1; a higher `beta` is smoother, `low` cuts waves longer than 1/low
    of the height, `stretch` above 1 draws it out along x."""
    fy = np.fft.fftfreq(height)[:, None].astype(np.float32) * height
    fx = np.fft.rfftfreq(width)[None].astype(np.float32) * height * stretch
    radius = np.sqrt(fx * fx + fy * fy)
    amplitude = np.where(radius >= low, np.maximum(radius, 0.5) ** (-beta / 2 - 0.5), 0.0).astype(np.float32)
    phases = rng.standard_normal((2, *amplitude.shape), dtype=np.float32)
    field = np.fft.irfft2((phases[0] + 1j * phases[1]) * amplitude, s=(height, width)).astype(np.float32)
    field -= field.mean()
    field /= field.std() + 1e-9
    return field


def unit(field: Floats, spread: float = 2.2) -> Floats:
    """Clouds squeezed into 0..1: `spread` deviations either side reach the ends."""
    within: Floats = np.clip(field * np.float32(0.5 / spread) + np.float32(0.5), 0.0, 1.0)
    return within


def line(rng: Rng, count: int, waves: float, octaves: int = 6, rough: float = 0.5) -> Floats:
    """A line of noise around 0 with about `waves` hills across `count` points, rougher with `rough`."""
    places = np.linspace(0.0, 1.0, count, dtype=np.float64)
    total = np.zeros(count)
    size = 1.0
    for octave in range(octaves):
        knots = max(4, int(waves * 2**octave) + 4)
        values = rng.uniform(-1.0, 1.0, knots)
        x = places * min(waves * 2**octave, knots - 4) + rng.uniform(0.0, 1.0)
        total += size * _cubic(values, x)
        size *= rough
    return total.astype(np.float32)


def _cubic(values: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth curve through the values at whole numbers."""
    i = np.clip(x.astype(np.int64), 0, len(values) - 3)
    f = x - i
    a, b, c = values[np.maximum(i - 1, 0)], values[i], values[i + 1]
    d = values[i + 2]
    curve: NDArray[np.float64] = b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)))
    return curve


def sample(field: Floats, x: Floats, y: Floats) -> Floats:
    """The field at other places (wrapping round), to the nearest point: enough where the field is smooth."""
    height, width = field.shape
    columns = np.mod(x.astype(np.int32), width)
    rows = np.mod(y.astype(np.int32), height)
    taken: Floats = field[rows, columns]
    return taken


class Sampler:
    """Looks fields of one shape up at fixed places (wrapping round), between their points."""

    def __init__(self, shape: tuple[int, int], x: Floats, y: Floats) -> None:
        height, width = shape
        x0, y0 = np.floor(x), np.floor(y)
        self._fx, self._fy = x - x0, y - y0
        left, top = np.mod(x0.astype(np.int32), width), np.mod(y0.astype(np.int32), height) * np.int32(width)
        right = np.where(left == width - 1, 0, left + 1)
        low = np.where(top == (height - 1) * width, 0, top + np.int32(width))
        self._corners = (top + left, top + right, low + left, low + right)

    def __call__(self, field: Floats) -> Floats:
        one, two, three, four = (np.take(field, corner) for corner in self._corners)
        two -= one
        two *= self._fx
        one += two
        four -= three
        four *= self._fx
        three += four
        three -= one
        three *= self._fy
        one += three
        return one


def sample_smooth(field: Floats, x: Floats, y: Floats) -> Floats:
    """The field at other places (wrapping round), between its points."""
    return Sampler((field.shape[0], field.shape[1]), x, y)(field)


def rolled(field: Floats, points: float, axis: int) -> Floats:
    """The field pushed along an axis by any part of a point, wrapping round."""
    whole = int(np.floor(points))
    share = np.float32(points - whole)
    one = np.roll(field, -whole, axis=axis)
    return one if share == 0 else one + (np.roll(field, -whole - 1, axis=axis) - one) * share


def blur(field: Floats, radius: float) -> Floats:
    """A soft blur of any radius: shrink, then grow back."""
    height, width = field.shape
    factor = max(1.0, radius / 1.5)
    small = resize(field, max(4, round(width / factor)), max(4, round(height / factor)))
    if factor < 1.05:
        small = _tent(small)
    return resize(_tent(small), width, height)


def _tent(field: Floats) -> Floats:
    """The three-point tent filter along both axes."""
    padded = np.pad(field, 1, mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    out: Floats = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) * np.float32(1 / 16)
    return out
