"""What the processor does meanwhile: how much of it is ours, by process, and how much is somebody else's."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Process:
    """A process of ours and all below it that have ended; processor in seconds."""

    pid: int
    parent: int
    cpu: float
    ended_children: float
    command: str


@dataclass
class Usage:
    """What was used between two looks, in cores."""

    seconds: float = 0.0
    ours: float = 0.0
    foreign: float = 0.0
    by_name: dict[str, float] = field(default_factory=dict)
    """Seconds of processor by name of process."""


def _processes() -> dict[int, Process]:
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            name, _, rest = (folder / "stat").read_text().rpartition(")")
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
        except OSError:
            continue
        fields = rest.split()
        own, below = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
        pid = int(folder.name)
        found[pid] = Process(pid, int(fields[1]), own / TICKS, below / TICKS, words or name.partition("(")[2])
    return found


def family(root: int) -> dict[int, Process]:
    """Return the process and all below it."""
    everything = _processes()
    below: dict[int, list[int]] = {}
    for process in everything.values():
        below.setdefault(process.parent, []).append(process.pid)
    ours, look = {}, [root]
    while look:
        pid = look.pop()
        if pid in everything:
            ours[pid] = everything[pid]
            look += below.get(pid, [])
    return ours


def busy_seconds() -> float:
    """Return what all processors worked since the machine started, idle and waiting left out."""
    fields = [int(number) for number in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / TICKS


@contextmanager
def metered(name_of: Callable[[Process], str] | None = None, root: int | None = None) -> Iterator[Usage]:
    """Fill a Usage with what is used inside."""
    root = root or os.getpid()
    usage = Usage()
    before, busy, began = family(root), busy_seconds(), time.perf_counter()
    try:
        yield usage
    finally:
        usage.seconds = time.perf_counter() - began
        total, after = busy_seconds() - busy, family(root)
        used = 0.0
        for pid, process in after.items():
            was = before.get(pid)
            own = process.cpu - (was.cpu if was else 0.0)
            # What a child that ended had used before is its own, not its parent's of this time.
            ended = process.ended_children - (was.ended_children if was else 0.0)
            used += own + ended
            if name_of is not None:
                name = name_of(process)
                usage.by_name[name] = usage.by_name.get(name, 0.0) + own
        used -= sum(process.cpu + process.ended_children for pid, process in before.items() if pid not in after)
        usage.ours = max(0.0, used) / usage.seconds
        usage.foreign = max(0.0, total - max(0.0, used)) / usage.seconds
