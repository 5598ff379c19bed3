"""Space: a banded planet, rings, a moon, a nebula behind."""

import numpy as np

from services.generator.providers.procedural import noise, paint, scenery
from services.generator.providers.procedural.colour import mix, ramp, shift
from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.stage import Frame, Stage


def compose(stage: Stage) -> Frame:
    """The nebula stands, stars twinkle, the planet turns under its light."""
    rng = stage.rng("space")
    back = _nebula(stage)
    stars = scenery.Stars(stage, stage.height, 1.8)
    radius = rng.uniform(0.24, 0.32)
    centre = (rng.uniform(0.4, 0.6), rng.uniform(0.44, 0.56))
    planet = _Planet(stage, centre, radius)
    ringed = stage.has("saturn", "saturne", "ring", "anneau") or rng.random() < 0.65
    rings = _rings(stage, centre, radius) if ringed else None
    moon = (
        centre[0] + rng.choice([-1, 1]) * rng.uniform(0.3, 0.38) * stage.side / stage.width * 1.1,
        centre[1] - rng.uniform(0.2, 0.3),
    )

    def frame(moment: float) -> Floats:
        picture = back.copy()
        picture += stars(moment)
        if rings is not None:
            paint.blend(picture, rings[0], rings[1] * rings[2])
        _moon(stage, picture, moon)
        planet.draw(picture, moment)
        if rings is not None:
            paint.blend(picture, rings[0], rings[1] * (1 - rings[2]))
        return picture

    return frame


def _nebula(stage: Stage) -> Floats:
    """Clouds of two colours over near-black."""
    rng = stage.rng("nebula")
    palette = stage.palette
    night = shift(palette.sky[0] if palette.dark else palette.ink, light=-0.04)
    canvas = paint.plain(stage, mix(night, (0.01, 0.01, 0.03), 0.6))
    x, y = stage.square()
    tilt = rng.uniform(-0.9, 0.9)
    band = np.exp(-(((x * np.sin(tilt) + y * np.cos(tilt)) / 0.34) ** 2)).astype(np.float32)
    for index, (tint, weight) in enumerate(
        ((palette.accents[2], 0.55), (palette.accents[0], 0.42), (palette.accents[3], 0.5))
    ):
        one = noise.resize(noise.clouds(rng, 256, 256, 2.3, 1.0), stage.width, stage.height)
        two = noise.resize(noise.clouds(rng, 256, 256, 2.0, 2.0), stage.width, stage.height)
        light = paint.smoothstep(-0.2, 2.4, one + 0.35 * two) * (0.25 + 0.75 * band)
        paint.glow(canvas, shift(tint, chroma=1.2), light * np.float32(weight))
        if index == 1:
            dark = paint.smoothstep(0.3, 1.8, two - 0.3 * one) * band
            paint.multiply(canvas, 1 - dark * np.float32(0.5))
    return canvas


class _Planet:
    """A ball of bands, lit from one side, with a rim of air."""

    def __init__(self, stage: Stage, centre: tuple[float, float], radius: float) -> None:
        rng = stage.rng("planet")
        palette = stage.palette
        gx, gy = stage.square()
        x = (gx - np.float32((centre[0] - 0.5) * stage.width / stage.side)) / np.float32(radius)
        y = (gy - np.float32((centre[1] - 0.5) * stage.height / stage.side)) / np.float32(radius)
        tilt = rng.uniform(-0.4, 0.4)
        u, v = (
            x * np.float32(np.cos(tilt)) + y * np.float32(np.sin(tilt)),
            y * np.float32(np.cos(tilt)) - x * np.float32(np.sin(tilt)),
        )
        far = x * x + y * y
        z = np.sqrt(np.maximum(1 - far, 0))
        self._mask = paint.cover(np.sqrt(far) - 1, 1.3 / (stage.side * radius))
        rows = np.flatnonzero(self._mask.max(axis=1) > 0)
        columns = np.flatnonzero(self._mask.max(axis=0) > 0)
        self._box = (
            (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
            if len(rows) and len(columns)
            else (slice(0), slice(0))
        )
        box = self._box
        # A map of the surface that wraps round: longitude goes along x.
        east = np.arctan2(u, np.maximum(z, 1e-3))[box] * np.float32(512 / (2 * np.pi))
        north = np.arcsin(np.clip(v, -1, 1))[box] * np.float32(256 / np.pi) + 128
        warp = noise.clouds(rng, 256, 512, 2.4, 2.0, 2.5)
        bands = noise.line(rng, 256, 9.0, 4, 0.6)
        latitude = np.clip(np.arange(256)[:, None] + warp * 7, 0, 255).astype(np.int32)
        self._surface = np.clip(0.5 + 0.42 * bands[latitude] + 0.05 * warp, 0, 1).astype(np.float32)
        stops = [
            palette.accents[4],
            palette.accents[0],
            mix(palette.accents[1], palette.paper, 0.4),
            palette.accents[1],
            palette.accents[3],
        ]
        self._colours = ramp(stops, 1024)
        light = (-0.55, -0.45, 0.7)
        day = x * light[0] + y * light[1] + z * light[2]
        self._day = (0.03 + 1.05 * paint.smoothstep(-0.15, 0.95, day))[box]
        self._rim = (np.clip(1 - z, 0, 1) ** 2.5 * paint.smoothstep(-0.3, 0.6, day))[box] * np.float32(0.8)
        self._air = (
            np.exp(-np.maximum(np.sqrt(far) - 1, 0) * 14)
            * (1 - self._mask)
            * np.clip(0.35 - 0.6 * (x * -light[0] + y * -light[1]), 0, 1)
        )
        self._tint = mix(palette.light, palette.accents[3], 0.4)
        self._stage = stage
        self._sampler = noise.Sampler((256, 512), east, north)

    def draw(self, picture: Floats, moment: float) -> None:
        paint.glow(picture, self._tint, self._air.astype(np.float32) * np.float32(0.6))
        turns = max(1, round(self._stage.seconds / 24)) if self._stage.moving else 0
        field = self._sampler(noise.rolled(self._surface, 512 * turns * moment, 1))
        ball = paint.lookup(self._colours, field) * self._day
        paint.glow(ball, self._tint, self._rim)
        box = picture[:, self._box[0], self._box[1]]
        box += (ball - box) * self._mask[self._box]


def _rings(stage: Stage, centre: tuple[float, float], radius: float) -> tuple[Floats, Floats, Floats]:
    """Colour, cover, and the part of the rings that lies behind the planet."""
    rng = stage.rng("rings")
    palette = stage.palette
    gx, gy = stage.square()
    x = gx - np.float32((centre[0] - 0.5) * stage.width / stage.side)
    y = gy - np.float32((centre[1] - 0.5) * stage.height / stage.side)
    tilt, flat = rng.uniform(-0.45, 0.45), rng.uniform(0.2, 0.32)
    u = x * np.float32(np.cos(tilt)) + y * np.float32(np.sin(tilt))
    v = (y * np.float32(np.cos(tilt)) - x * np.float32(np.sin(tilt))) / np.float32(flat)
    far = np.sqrt(u * u + v * v) / np.float32(radius)
    profile = noise.unit(noise.line(rng, 2048, 34, 5, 0.7), 1.0)
    place = np.clip((far - 1.25) / 0.95, 0, 1)
    cover = (
        profile[(place * 2047).astype(np.int32)]
        * paint.smoothstep(0.0, 0.04, place)
        * paint.smoothstep(1.0, 0.94, place)
    )
    cover = np.clip(cover * 1.1, 0, 0.92).astype(np.float32)
    colours = ramp(
        [palette.accents[1], palette.paper, palette.accents[0], mix(palette.paper, palette.accents[3], 0.5)], 512
    )
    tint = paint.lookup(colours, place.astype(np.float32))
    # The planet's shadow falls across the far side.
    shadow = 1 - np.float32(0.75) * paint.smoothstep(0.12, -0.02, np.abs(u * 0.75 - v * flat * 0.66) - radius * 0.8) * (
        v < 0
    ) * (u > 0)
    tint *= shadow.astype(np.float32)
    return tint, cover, (v < 0).astype(np.float32)


def _moon(stage: Stage, picture: Floats, place: tuple[float, float]) -> None:
    palette = stage.palette
    disc = scenery.disc(stage, *place, 0.038)
    dark = scenery.disc(
        stage, place[0] + 0.016 * stage.side / stage.width, place[1] + 0.012 * stage.side / stage.height, 0.037
    )
    paint.blend(picture, mix(palette.paper, palette.far, 0.35), disc)
    paint.blend(
        picture,
        mix(palette.ink, (0.03, 0.03, 0.06), 0.5),
        disc * noise.blur(dark, 0.008 * stage.side) * np.float32(0.85),
    )
