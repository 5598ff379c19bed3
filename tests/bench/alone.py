"""Services started by themselves beside a stack: not forked, on ports of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from tests.support.ports import free_ports

PORTS = {
    "gateway": ("SORAMI_GATEWAY_INTERNAL_PORT",),
    "persistence": ("SORAMI_PERSISTENCE_PORT",),
    "generator": ("SORAMI_GENERATOR_PORT",),
    "notifier": ("SORAMI_NOTIFIER_PORT", "SORAMI_NOTIFIER_INTERNAL_PORT"),
}


@contextmanager
def alone(
    names: Sequence[str], env: Mapping[str, str], *, second: bool = False, entries: Mapping[str, str] | None = None
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Start services with the settings of a stack; as `second` ones they get other ports than its own."""
    processes = {}
    for name in names:
        given = {**os.environ, **env, "SORAMI_LOG_LEVEL": "warning"}
        if second:
            given |= {setting: str(free_ports(1)[0]) for setting in PORTS[name]}
        entry = (entries or {}).get(name)
        command = (
            [sys.executable, "-m", "sorami.local.entry", entry] if entry else [sys.executable, "-m", f"services.{name}"]
        )
        processes[name] = subprocess.Popen(command, env=given)
    try:
        yield processes
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait()
