"""`sorami up` and `sorami down`: the same stack, kept by a process of its own."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sorami.local import children, environment, state, view
from sorami.local.errors import StackError
from sorami.local.home import Home, holder
from sorami.local.state import Seen

if TYPE_CHECKING:
    from sorami.local.welcome import Made

LOOK_EVERY = 0.1
STOP_WITHIN = 60.0


def up(*, demo: bool | None) -> int:
    """Starts it and returns when all of it is ready; `demo` None makes first media on a new data folder only."""
    home = Home.find(os.environ, Path.cwd())
    if holder(home.lock) is not None:
        view.table(state.read(home.state))
        return 0
    began = time.monotonic()
    process = _launch(home)
    try:
        made = _until_ready(home, process, began, demo=demo)
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        return 130
    view.table(_seen(home, process))
    if made is not None:
        print(*made.all_files(), sep="\n")
    return 0


def _until_ready(home: Home, process: "subprocess.Popen[bytes]", began: float, *, demo: bool | None) -> "Made | None":
    from sorami.local import welcome
    from sorami.progress import board

    welcomed = home.root / "welcomed"
    with board() as shown:
        while (seen := _seen(home, process)).phase != "ready":
            for row in view.steps(seen.content):
                shown.show(*row)
            if (code := process.poll()) is not None:
                raise StackError(_reason(home), code=code or 1)
            time.sleep(LOOK_EVERY)
        if not (demo or (demo is None and not welcomed.exists())):
            return None
        url = environment.read_exports(home.env)["SORAMI_URL"]
        made = asyncio.run(welcome.first_media(home, url, shown, began))
        welcomed.touch()
        return made


def _launch(home: Home) -> "subprocess.Popen[bytes]":
    home.make()
    log = children.open_log(home.log("supervisor"))
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "sorami.local.background"],
            env={**os.environ, "SORAMI_HOME": str(home.root)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)


def _seen(home: Home, process: "subprocess.Popen[bytes]") -> Seen:
    """What this very supervisor wrote; the file may still be an earlier one's."""
    seen = state.read(home.state)
    return seen if seen.content.get("pid") == process.pid else Seen({})


def _reason(home: Home) -> str:
    return children.last_line(home.log("supervisor")).removeprefix("sorami: ")


def down() -> int:
    """Asks the supervisor to stop everything and returns when it has."""
    home = Home.find(os.environ, Path.cwd())
    pid = holder(home.lock)
    if pid is None:
        children.end_leftovers(state.leftovers(home.state))
        print("not running")
        return 0
    children.send(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_WITHIN
    while holder(home.lock) == pid:
        if time.monotonic() > deadline:
            children.send(pid, signal.SIGKILL)
            children.end_leftovers(state.leftovers(home.state))
            break
        time.sleep(LOOK_EVERY / 2)
    print("stopped")
    return 0


def keep() -> int:
    """The background process itself."""
    from sorami.local import foreground

    return foreground.run(demo=False, quiet=True)


if __name__ == "__main__":
    sys.exit(keep())
