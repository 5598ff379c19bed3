"""What `make chaos` does to processes is undone, whatever became of them."""

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.chaos.frost import Frost


def test_what_a_killed_parent_left_frozen_is_woken() -> None:
    frost = Frost()
    with subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        frost.freeze(parent.pid)
        _stands_at(child, "T")
        parent.kill()
        parent.wait()
        frost.wake()
        _stands_at(child, "S")
        os.kill(child, signal.SIGKILL)


def _stands_at(pid: int, state: str) -> None:
    deadline = time.monotonic() + 10
    while (seen := Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]) != state:
        assert time.monotonic() < deadline, seen
        time.sleep(0.01)
