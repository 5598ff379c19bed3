"""The stack of this machine: its disk, and its processes."""

import shutil
from pathlib import Path

from sorami.doctor.findings import Finding, bad, look, ok
from sorami.local import state
from sorami.local.disk import MB, needed
from sorami.local.home import Home


def examine_disk(folder: Path, *, objects: bool) -> Finding:
    """Compare what is free with what the embedded servers need."""
    disk = shutil.disk_usage(folder)
    wanted = needed(disk.total, objects=objects)
    says = f"{disk.free // MB:,} MB are free at {folder}, {wanted // MB:,} MB are needed"
    if disk.free < wanted:
        return bad("disk", says, "free some space (see: df -h), or put the data elsewhere: SORAMI_HOME")
    if disk.free < 2 * wanted:
        return look("disk", says, "free some space before it runs out (see: df -h)")
    return ok("disk", says)


def examine_processes(home: Home) -> list[Finding]:
    """Say which processes of the running stack are not ready."""
    seen = state.read(home.state)
    waiting = [process for process in seen.processes if process["state"] != "ready"]
    if not waiting:
        return [ok("processes", f"{len(seen.processes)} are ready")]
    return [
        bad(
            "processes",
            f"{process['name']} is {process['state']}{': ' + str(process['reason']) if process.get('reason') else ''}",
            f"sorami logs {process['name']}",
        )
        for process in waiting
    ]
