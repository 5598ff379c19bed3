"""Encoding films: H.264 in MP4, playable while it loads, plus a poster frame."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from services.generator.providers.procedural.fields import Bytes

GBR = (1, 2, 0)


def write(path: Path, frames: Iterable[Bytes], width: int, height: int, fps: int, fine: bool) -> None:
    """Encode planar frames (of any resolution) at `width` x `height`; the index comes first in the file."""
    # x264 with one thread: the child has one core's worth of work, and the bytes do not depend on the machine.
    options = {"crf": "17" if fine else "20", "preset": "veryfast", "threads": "1", "aq-mode": "3"}
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.color_range = 1
        for planes in frames:
            frame = _frame(planes).reformat(width=width, height=height, format="yuv420p", interpolation="BICUBIC")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def _frame(planes: Bytes) -> av.VideoFrame:
    _, height, width = planes.shape
    frame = av.VideoFrame(width, height, "gbrp")
    for plane, channel in zip(frame.planes, GBR, strict=True):
        rows = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)
        rows[:height, :width] = planes[channel]
    return frame
