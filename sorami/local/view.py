"""What `status`, `up` and `run` show of a stack, from its state file or from itself."""

import sys
from typing import Any, TextIO

from sorami.local.state import Seen

STEPS = {"waiting": 0.0, "starting": 40.0, "restarting": 40.0, "ready": 100.0, "stopped": 0.0, "failed": 0.0}
TITLES = {"postgres": "Postgres", "kafka": "Kafka", "s3": "S3", "forkserver": "fork server"}


def steps(view: dict[str, Any]) -> list[tuple[str, float, str]]:
    """Name, percent and words of each process, as a progress board takes them."""
    rows = []
    download = view.get("download")
    for process in view.get("processes", []):
        state = str(process["state"])
        percent, words = STEPS.get(state, 0.0), state
        if process["name"] == "kafka" and state == "starting" and download and download[0] < download[1]:
            done, total = download
            percent, words = 40.0 * done / total, f"fetching {done >> 20} of {total >> 20} MB (once)"
        if state == "ready":
            words = f"ready {process['address']}"
        rows.append((TITLES.get(process["name"], process["name"]), percent, words))
    return rows


def table(seen: Seen, to: TextIO = sys.stdout) -> None:
    """One row a process; no colour when piped."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, pad_edge=False)
    for column in ("name", "state", "pid", "port", "address", "restarts"):
        shown.add_column(column, no_wrap=True)
    colours = {"ready": "green", "failed": "red", "restarting": "yellow", "starting": "yellow"}
    for process in seen.processes:
        state = str(process["state"])
        shown.add_row(
            str(process["name"]),
            f"[{colours[state]}]{state}[/]" if state in colours else state,
            str(process["pid"] or "-"),
            str(process["port"] or "-"),
            str(process["address"] or "-"),
            str(process["restarts"]),
        )
    console = Console(file=to, width=None if to.isatty() else 200, highlight=False)
    console.print(shown)


def as_json(seen: Seen, *, running: bool) -> dict[str, Any]:
    keys = ("name", "role", "pid", "port", "state", "address", "restarts", "reason", "log")
    return {
        "running": running,
        "state": seen.phase if running else "stopped",
        "pid": seen.content.get("pid") if running else None,
        "processes": [{key: process.get(key) for key in keys} for process in seen.processes],
    }
