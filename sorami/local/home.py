"""The data folder: where things lie in it, who may read them, and the lock of its one instance."""

import fcntl
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sorami.local.errors import StackError

FOLDER = ".sorami"


class Home:
    """The data folder of one stack (`SORAMI_HOME`, else `.sorami` in the project folder)."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.run = self.root / "run"
        self.logs = self.root / "logs"
        self.bin = self.root / "bin"
        self.issuer = self.root / "issuer"
        self.postgres = self.root / "postgres"
        self.kafka = self.root / "kafka"
        self.objects = self.root / "objects"
        self.secrets = self.root / "secrets.json"
        self.ports = self.root / "ports.json"
        self.addresses = self.root / "addresses.json"
        self.env = self.root / "env"
        self.state = self.run / "state.json"
        self.lock = self.run / "lock"

    @classmethod
    def find(cls, environ: Mapping[str, str], start: Path) -> "Home":
        """`SORAMI_HOME`, else the nearest data folder above `start`, else a new one in `start`."""
        if given := environ.get("SORAMI_HOME"):
            return cls(Path(given).expanduser())
        for folder in (start, *start.parents):
            if (folder / FOLDER / "secrets.json").exists():
                return cls(folder / FOLDER)
        return cls(start / FOLDER)

    @property
    def project(self) -> Path:
        """The folder whose `.env` is read."""
        return self.root.parent if self.root.name == FOLDER else Path.cwd()

    def make(self) -> None:
        """Makes the folders. As root others may pass through (not list), since Postgres runs as another user."""
        try:
            if not self.root.exists():
                self.root.mkdir(parents=True)
                self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for folder in (self.run, self.logs, self.bin, self.issuer, self.kafka, self.objects):
                if not folder.exists():
                    folder.mkdir()
                    folder.chmod(0o700)
            ignore = self.root / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
        except PermissionError as error:
            raise StackError(
                f"cannot write {error.filename}; name a folder of yours: SORAMI_HOME=~/sorami make run"
            ) from error

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


class Lock:
    """One instance per data folder: held for the life of the supervisor, freed by the kernel when it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    @property
    def held(self) -> bool:
        return self._file is not None

    def take(self) -> bool:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._file = descriptor
        return True

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def holder(path: Path) -> int | None:
    """The process id that holds the lock, or None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 32, 0).decode().strip()
        return int(text) if text.isdigit() else None
    finally:
        os.close(descriptor)
    return None


def read_json(path: Path) -> dict[str, Any]:
    """What the file holds, or nothing when it is not there."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise StackError(f"{path} is damaged ({error}); move it away and start again") from error
    return content if isinstance(content, dict) else {}


def write_private(path: Path, content: str, mode: int = 0o600, *, durable: bool = True) -> None:
    """Replaces the file in one step, readable by its owner alone; `durable` holds over a power cut."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Mapping[str, Any], *, durable: bool = True) -> None:
    write_private(path, json.dumps(content, indent=1) + "\n", durable=durable)
