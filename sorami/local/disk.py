"""How much free disk the embedded servers need, said before anything is started."""

import shutil
from pathlib import Path

from sorami.local.errors import StackError
from sorami.local.seaweed import VOLUME_MB

MB = 1024 * 1024
# Kafka's and Postgres' first files with room for an evening's jobs.
AT_LEAST = 400 * MB
# Below 1 % of the disk the embedded object store writes nothing; above, it needs volumes to write into.
VOLUMES = 8


def needed(total: int, *, objects: bool) -> int:
    """Free bytes without which a start would end in failing jobs; `objects`: the object store is embedded too."""
    return max(AT_LEAST, total // 100 + VOLUMES * VOLUME_MB * MB) if objects else AT_LEAST


def ask_for_room(folder: Path, *, objects: bool) -> None:
    """Refuse a disk that is nearly full.

    Raises:
        StackError: with what is free, what is needed and what to do.
    """
    disk = shutil.disk_usage(folder)
    wanted = needed(disk.total, objects=objects)
    if disk.free >= wanted:
        return
    elsewhere = "put the data elsewhere: SORAMI_HOME=/elsewhere make run"
    if objects:
        elsewhere += ", or give an S3 of your own: S3_ENDPOINT_URL"
    raise StackError(
        f"{disk.free // MB:,} MB are free at {folder}, and {wanted // MB:,} MB are needed"
        f"{' (the embedded object store stops writing at 1 % of a disk)' if objects else ''}: "
        f"free some space (see: df -h), or {elsewhere}"
    )
