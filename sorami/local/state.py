"""The state file of a running stack: what `status`, `up` and the next start read."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sorami.local import children
from sorami.local.errors import StackError
from sorami.local.home import read_json, write_json
from sorami.local.supervisor import Child


class State:
    """Written anew at each change of a child; holds no secret."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._phase = "starting"
        self._reason = ""
        self._download: tuple[int, int] | None = None
        self._told = 0.0
        self._started = time.time()
        self._birth = children.born(os.getpid())
        self.children: list[Child] = []

    @property
    def phase(self) -> str:
        return self._phase

    def settle(self, phase: str, reason: str = "") -> None:
        self._phase, self._reason = phase, reason
        self.write()

    def download(self, done: int, total: int) -> None:
        self._download = (done, total)
        if done >= total or time.monotonic() - self._told > 0.1:
            self._told = time.monotonic()
            self.write()

    def view(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "born": self._birth,
            "phase": self._phase,
            "reason": self._reason,
            "started": self._started,
            "download": self._download,
            "processes": [_row(child) for child in self.children],
        }

    def write(self) -> None:
        if self._path.parent.exists():
            write_json(self._path, self.view(), durable=False)


def _row(child: Child) -> dict[str, Any]:
    program = child.program
    return {
        "name": program.name,
        "role": program.role,
        "pid": child.pid,
        "born": child.birth if child.pid else None,
        "port": program.port,
        "state": child.phase.value,
        "address": program.address,
        "restarts": child.restarts,
        "reason": child.reason,
        "since": child.since,
        "log": str(program.log),
    }


@dataclass(frozen=True)
class Seen:
    """The state file as another process reads it."""

    content: dict[str, Any]

    @property
    def phase(self) -> str:
        return str(self.content.get("phase", "stopped"))

    @property
    def reason(self) -> str:
        return str(self.content.get("reason", ""))

    @property
    def processes(self) -> list[dict[str, Any]]:
        return list(self.content.get("processes", []))


def read(path: Path) -> Seen:
    return Seen(read_json(path))


def leftovers(path: Path) -> Iterator[tuple[int, str]]:
    """Pid and start time of every process that the last supervisor had."""
    try:
        content = read_json(path)
    except StackError:
        # Cut off by a power cut: those processes are gone with it.
        return
    for row in content.get("processes", []):
        if row.get("pid") and row.get("born"):
            yield int(row["pid"]), str(row["born"])
