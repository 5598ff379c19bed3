"""Postgres refuses to run as root: an ordinary user for it, and a place that this user can reach."""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sorami.local.children import OsUser
from sorami.local.errors import SettingError
from sorami.local.home import Home, read_json, write_json

USERS = ("postgres", "nobody")
OUTSIDE = Path("/var/lib/sorami")


@dataclass(frozen=True)
class Place:
    """Where Postgres' programs and data are, and who runs them (None: ourselves)."""

    programs: Path
    data: Path
    user: OsUser | None


def find_user() -> OsUser | None:
    """None for an ordinary user; as root, the user that Postgres runs as."""
    if os.geteuid() != 0:
        return None
    for name in USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return OsUser(name, entry.pw_uid, entry.pw_gid)
    raise SettingError("Postgres does not run as root and this machine has no user for it: useradd --system postgres")


def choose(home: Home, programs: Path) -> Place:
    """The data folder itself where that user can reach it, else a folder that we make elsewhere and remember."""
    user = find_user()
    if user is None:
        return Place(programs, home.postgres, None)
    if home.postgres.exists() and home.postgres.stat().st_uid != 0:
        user = _owner(home.postgres)
    remembered = home.root / "postgres.json"
    outside = read_json(remembered).get("outside")
    if outside is None and not _reaches(user, home.root):
        outside = str(_make_outside(home))
        write_json(remembered, {"outside": outside})
    base = Path(outside) if outside else None
    if base is not None and not base.exists():
        base.mkdir(mode=0o711, parents=True)
    data = base / "data" if base else home.postgres
    if not _reaches(user, programs / "bin" / "postgres"):
        programs = _copy(programs, (base or home.root) / "postgres-programs")
    return Place(programs, data, user)


def discard(home: Home) -> None:
    """Removes the data folder of a stopped stack, and the place elsewhere should it have one."""
    if outside := read_json(home.root / "postgres.json").get("outside"):
        shutil.rmtree(outside)
    shutil.rmtree(home.root)


def _owner(folder: Path) -> OsUser:
    """Data that an ordinary user (or another name than today's) began stay theirs: Postgres insists on it."""
    stat = folder.stat()
    return OsUser(str(stat.st_uid), stat.st_uid, stat.st_gid)


def _reaches(user: OsUser, folder: Path) -> bool:
    """Asks the system as that user, which knows of links, ACLs and mount options."""
    return (
        subprocess.run(
            ["test", "-x", folder], user=user.uid, group=user.gid, extra_groups=[], cwd="/", check=False
        ).returncode
        == 0
    )


def _make_outside(home: Home) -> Path:
    name = hashlib.sha256(str(home.root).encode()).hexdigest()[:12] + "-" + os.urandom(3).hex()
    for parent in _parents():
        folder = parent / name
        try:
            folder.mkdir(mode=0o711, parents=True)
        except OSError:
            continue
        folder.chmod(0o711)
        return folder
    raise SettingError("no folder for Postgres' data: name one that all users can pass, SORAMI_HOME=/srv/sorami")


def _parents() -> Iterator[Path]:
    yield OUTSIDE
    yield Path(tempfile.gettempdir()) / "sorami"


def give(path: Path, user: OsUser | None) -> None:
    """Hands a file or folder that we have just made to the user."""
    if user is not None:
        os.chown(path, user.uid, user.gid)


def _copy(programs: Path, target: Path) -> Path:
    """A copy of the wheel where that user can reach it, made anew when the package changed."""
    package = programs.parent
    stamp = target / ".from"
    build = (programs / "bin" / "postgres").stat()
    mark = f"{programs} {build.st_size} {int(build.st_mtime)}"
    if not stamp.exists() or stamp.read_text() != mark:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(package, target / package.name, symlinks=True)
        # The programs find the libraries beside the package by a relative path.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, target / libraries.name, symlinks=True)
        for path in (target, *target.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o111 else 0o644)
        stamp.write_text(mark)
    return target / package.name / programs.name
