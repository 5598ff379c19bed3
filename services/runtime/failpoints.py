"""Places where a test makes a process die, fail or freeze; inert unless SORAMI_FAILPOINTS names a folder.

A test arms a point by writing a file of its name: the first line is what happens there (`kill`, `fail`, `freeze`), the
second how often. Whoever reaches the point takes the file away, so that a process which is started again goes on.
"""

import os
import signal
from pathlib import Path

_folder = os.environ.get("SORAMI_FAILPOINTS")


class Injected(Exception):
    """What an armed point fails with: an error that nobody expects."""


def reach(point: str) -> None:
    """Pass a point by its name, such as `gw.after_commit`; raises Injected where a test asked for that."""
    if _folder is not None:
        _happen(Path(_folder) / point)


def arm(folder: Path, point: str, what: str, times: int = 1) -> None:
    """Have something happen at a point, so many times."""
    fresh = folder / f".{point}"
    fresh.write_text(f"{what}\n{times}")
    fresh.replace(folder / point)


def _happen(armed: Path) -> None:
    taken = armed.with_name(f"{armed.name}.{os.getpid()}")
    try:
        # Renamed by one alone: of two processes at the same point the second passes.
        armed.rename(taken)
    except FileNotFoundError:
        return
    what, times = taken.read_text().split()
    if int(times) > 1:
        arm(armed.parent, armed.name, what, int(times) - 1)
    taken.unlink()
    if what == "fail":
        raise Injected(armed.name)
    os.kill(os.getpid(), {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}[what])
