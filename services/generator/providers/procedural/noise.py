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


def sample_smooth(field: Floats, x: Floats, y: Floats) -> Floats:
    """The field at other places (wrapping round), between its points."""
    height, width = field.shape
    x0, y0 = np.floor(x), np.floor(y)
    fx, fy = x - x0, y - y0
    c0, r0 = np.mod(x0.astype(np.int32), width), np.mod(y0.astype(np.int32), height)
    c1, r1 = np.where(c0 + 1 == width, 0, c0 + 1), np.where(r0 + 1 == height, 0, r0 + 1)
    flat = field.ravel()
    top = flat[r0 * width + c0] * (1 - fx) + flat[r0 * width + c1] * fx
    low = flat[r1 * width + c0] * (1 - fx) + flat[r1 * width + c1] * fx
    between: Floats = top * (1 - fy) + low * fy
    return between


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
