"""A disk of a server's own that is too small: its folder on a tmpfs, filled to the last byte."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from tests.chaos.load import Load
from tests.chaos.rig import Rig
from tests.chaos.scenarios import NotHere

MEGABYTE = 1024 * 1024


@asynccontextmanager
async def on_a_disk_of_its_own(rig: Rig, server: str, folder: Path, *, spare: int) -> AsyncIterator[None]:
    """Have a server live on a disk with so many spare bytes beyond what it holds; it moves back at the end.

    Raises NotHere where nothing can be mounted.
    """
    if os.geteuid() != 0:
        raise NotHere("a tmpfs cannot be mounted here: it needs root")
    await rig.stack.astop(server)
    before = folder.with_name(f"{folder.name}.before")
    folder.rename(before)
    owner = before.stat()
    size = await asyncio.to_thread(_held, before) + spare
    folder.mkdir(mode=0o700)
    options = f"size={size},mode=700,uid={owner.st_uid},gid={owner.st_gid}"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=False).returncode:
        folder.rmdir()
        before.rename(folder)
        await rig.stack.astart(server)
        raise NotHere("a tmpfs cannot be mounted here")
    await _copy(before, folder)
    await rig.stack.astart(server)
    try:
        yield
    finally:
        await rig.stack.astop(server)
        await asyncio.to_thread(shutil.rmtree, before)
        before.mkdir(mode=0o700)
        os.chown(before, owner.st_uid, owner.st_gid)
        await _copy(folder, before)
        subprocess.run(["umount", "-l", folder], check=True)
        folder.rmdir()
        before.rename(folder)
        await rig.stack.astart(server)


async def full_for_a_while(load: Load, folder: Path) -> None:
    """Have people ask, while no byte is free there for eight seconds."""
    load.work(6)
    await asyncio.sleep(2)
    with _filled(folder):
        await asyncio.sleep(8)


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        for piece in (MEGABYTE, 4096, 1):
            with suppress(OSError):
                while file.write(bytes(piece)):
                    pass
    try:
        yield
    finally:
        ballast.unlink()


def _held(folder: Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) + MEGABYTE


async def _copy(source: Path, target: Path) -> None:
    process = await asyncio.create_subprocess_exec("cp", "-a", f"{source}/.", target)
    assert await process.wait() == 0
