"""`sorami logs`: the ends of the logs, and what comes after."""

import sys
import time
from pathlib import Path
from typing import BinaryIO

from sorami.local.errors import StackError
from sorami.local.home import Home

LOOK_EVERY = 0.2


def show(home: Home, names: list[str], *, lines: int, follow: bool) -> int:
    there = sorted(path.stem for path in home.logs.glob("*.log"))
    unknown = [name for name in names if name not in there]
    if unknown:
        raise StackError(f"no log of {', '.join(unknown)}; there are: {', '.join(there) or 'none yet'}", code=2)
    chosen = names or there
    files = {name: home.log(name).open("rb") for name in chosen}
    width = max((len(name) for name in chosen), default=0) if len(chosen) > 1 else 0
    try:
        for name, file in files.items():
            for line in _last(file, home.log(name), lines):
                _tell(name, line, width)
        while follow:
            for name, file in files.items():
                for line in file.readlines():
                    _tell(name, line, width)
            sys.stdout.flush()
            time.sleep(LOOK_EVERY)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    finally:
        for file in files.values():
            file.close()
    return 0


def _last(file: BinaryIO, path: Path, lines: int) -> list[bytes]:
    start = max(0, path.stat().st_size - 400 * max(lines, 1))
    file.seek(start)
    found = file.readlines()
    return found[-lines:] if lines > 0 else []


def _tell(name: str, line: bytes, width: int) -> None:
    text = line.decode(errors="replace").rstrip("\n")
    print(f"{name:{width}} | {text}" if width else text)
