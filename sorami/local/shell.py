"""The running stack for a person's shell, and commands that run against it."""

import os
import subprocess
import sys
import time
from typing import Any

from sorami.local import environment, identity
from sorami.local.errors import NotRunning
from sorami.local.given import read_dotenv
from sorami.local.home import Home, holder

STARTING_WITHIN = 10.0


def running(home: Home) -> dict[str, str]:
    """The values that the running stack told; waits a moment for one that has just been started."""
    deadline = time.monotonic() + STARTING_WITHIN
    while True:
        if holder(home.lock) is None:
            raise NotRunning
        if home.env.exists() and home.env.stat().st_mtime >= home.lock.stat().st_mtime:
            return environment.read_exports(home.env)
        if time.monotonic() > deadline:
            raise NotRunning("the stack is still starting; try again in a moment")
        time.sleep(0.05)


def exports(home: Home) -> str:
    """Lines for `eval`, with a token that is good for another twelve hours."""
    values = running(home)
    return environment.refresh_exports(home, identity.token(home), values)


def run_entry(home: Home, address: str, entry: str, arguments: list[Any]) -> int:
    """Runs a command of a service on the address that the shell gives, else on the running stack's."""
    import json

    env = {**read_dotenv(home.project / ".env"), **os.environ}
    if not env.get(address):
        env.update(running(home))
    argv = [sys.executable, "-m", "sorami.local.entry", entry, json.dumps(arguments)]
    return subprocess.run(argv, env=env, check=False).returncode
