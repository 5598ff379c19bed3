"""Before anything is installed: what this machine lacks, in one line with the command that mends it."""

import importlib.util
import os
import platform
import shutil
import sys
from pathlib import Path

NEEDED_MB = 1_500
LOWEST_GLIBC = (2, 28)


def missing(folder: Path) -> str | None:
    """The first thing that is missing, or None."""
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            return f"this Python has no {module}: {_install_venv()}"
    return _wrong_platform() or _full_disk(folder)


def _install_venv() -> str:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    sudo = "" if os.geteuid() == 0 else "sudo "
    if shutil.which("apt-get"):
        return f"{sudo}apt-get install -y python{version}-venv"
    if shutil.which("dnf"):
        return f"{sudo}dnf install -y python3 python3-pip"
    return f"install the venv module of Python {version}, or name another Python: PYTHON=/path/to/python3 make run"


def _wrong_platform() -> str | None:
    if sys.platform == "darwin":
        return None
    if sys.platform != "linux":
        return f"{sys.platform} is not supported: use Linux, macOS or WSL 2"
    name, version = platform.libc_ver()
    if name != "glibc":
        return "this system's C library is not glibc, and Postgres is built for that: use Debian, Ubuntu or Fedora"
    if tuple(int(part) for part in version.split(".")[:2]) < LOWEST_GLIBC:
        return f"glibc {version} is too old (2.28 or newer is needed): use Debian 10, Ubuntu 20.04, RHEL 8 or newer"
    return None


def _full_disk(folder: Path) -> str | None:
    free = shutil.disk_usage(folder).free >> 20
    if free < NEEDED_MB and not (folder / ".venv").exists():
        return f"only {free} MB are free here and about {NEEDED_MB} are needed: free some space (see: df -h .)"
    return None


if __name__ == "__main__":
    if reason := missing(Path.cwd()):
        print(f"sorami: {reason}", file=sys.stderr)
        sys.exit(78)
