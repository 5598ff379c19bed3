"""`python -m tests.bench.flame name=raw … > picture.svg`: a flame graph of what py-spy recorded (`-f raw`), by process.

py-spy record -r 100 -f raw -o gateway.raw -p <pid>
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

WIDTH, HEIGHT, LEAST = 1400, 17, 0.003
# Threads that wait for work, and what every stack begins with.
IDLE = ("_worker (concurrent/futures", "_read_thread", "watch (")
STEMS = ("sorami/local/", "runpy", "__main__.py", "services/runtime/process.py", "asyncio/runners.py")
COLOURS = {"services/": "#4c78a8", "contracts/": "#72b7b2", "": "#f0b86e"}


@dataclass
class Frame:
    """A function with the samples taken in it and below it."""

    name: str
    samples: int = 0
    below: dict[str, "Frame"] = field(default_factory=dict)

    def add(self, stack: Iterable[str], samples: int) -> None:
        frame = self
        frame.samples += samples
        for name in stack:
            frame = frame.below.setdefault(name, Frame(name))
            frame.samples += samples


def read(name: str, lines: Iterable[str]) -> Frame:
    """Fold recorded stacks into frames under one for the process."""
    root = Frame(name)
    for line in lines:
        stack, _, count = line.rpartition(" ")
        names = [frame.rpartition(":")[0] or frame for frame in stack.split(";")]
        if any(word in one for one in names for word in IDLE):
            continue
        root.add([one for one in names if not any(stem in one for stem in STEMS)], int(count))
    return root


def draw(processes: list[Frame]) -> str:
    """Draw the processes side by side, each as wide as it was busy."""
    whole = Frame("all", sum(one.samples for one in processes), {one.name: one for one in processes})
    boxes: list[str] = []
    depth = _draw(whole, 0.0, 0, whole.samples, boxes)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{(depth + 1) * HEIGHT}"'
    return "\n".join([f'{head} font-family="monospace" font-size="11">', *boxes, "</svg>"]) + "\n"


def _draw(frame: Frame, left: float, depth: int, whole: int, boxes: list[str]) -> int:
    width, top = frame.samples / whole * WIDTH, depth * HEIGHT
    colour = next(colour for part, colour in COLOURS.items() if part in frame.name)
    title = f"{escape(frame.name)}: {frame.samples / whole:.1%}"
    boxes.append(
        f'<g><title>{title}</title><rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{HEIGHT - 1}"'
        f' fill="{colour}"/>'
    )
    room = int(width / 6.7)
    if room > 3:
        boxes.append(f'<text x="{left + 2:.1f}" y="{top + 12}">{escape(frame.name[:room])}</text>')
    boxes.append("</g>")
    deepest = depth
    for one in sorted(frame.below.values(), key=lambda below: -below.samples):
        if one.samples / whole >= LEAST:
            deepest = max(deepest, _draw(one, left, depth + 1, whole, boxes))
        left += one.samples / whole * WIDTH
    return deepest


if __name__ == "__main__":
    given = [argument.partition("=") for argument in sys.argv[1:]]
    print(draw([read(name, Path(raw).read_text().splitlines()) for name, _, raw in given]), end="")
