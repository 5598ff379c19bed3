"""Builds `instant.mp4`, the film of the instant provider: `python -m services.generator.providers.instant_clip`."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from services.generator.providers.instant import CLIP_FPS, CLIP_NAME, CLIP_SECONDS, SIDE


def build(path: Path) -> None:
    """Write the clip: a soft light that crosses a dark sky."""
    x, y = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(CLIP_FPS), options={"crf": "30", "preset": "veryslow"})
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, "yuv420p"
        for index in range(int(CLIP_SECONDS * CLIP_FPS)):
            glow = np.exp(-((x - 8 * index) ** 2 + (y - 32) ** 2) / 400.0)[..., None]
            picture = np.array([20, 26, 46]) + glow * np.array([200, 160, 120])
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture.astype(np.uint8), format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


if __name__ == "__main__":
    build(Path(__file__).with_name(CLIP_NAME))
