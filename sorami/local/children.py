"""Child processes: started so that they die with us, known by pid and start time, ended for certain."""

import asyncio
import ctypes
import functools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PR_SET_PDEATHSIG = 1
KEEP_LOG_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class OsUser:
    """An unprivileged user of this machine that a child runs as."""

    name: str
    uid: int
    gid: int


class Running(Protocol):
    """A started process: whoever started it tells its end."""

    @property
    def pid(self) -> int: ...

    async def wait(self) -> int:
        """The exit code; negative is the signal that ended it."""
        ...


class OwnProcess:
    """A process that this one started itself."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._watch()

    @property
    def pid(self) -> int:
        return self._popen.pid

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            descriptor = os.pidfd_open(self.pid)
        except (AttributeError, OSError):
            # No pidfd (macOS, old kernels): a thread waits instead.
            loop.run_in_executor(None, self._popen.wait).add_done_callback(lambda _: self._end())
            return

        def ended() -> None:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            self._end()

        loop.add_reader(descriptor, ended)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(self._popen.wait())


def die_with(parent: int, how: signal.Signals) -> None:
    """In a child: Linux then signals it when the thread that made it ends."""
    if _prctl is not None:
        _prctl(PR_SET_PDEATHSIG, int(how), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), how)


# Looked up before any fork: a child does as little as possible between fork and exec.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def start(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log: Path,
    user: OsUser | None = None,
    dies_by: signal.Signals = signal.SIGKILL,
    pass_fds: Sequence[int] = (),
    cwd: Path | None = None,
) -> OwnProcess:
    """Starts a program in its own session (the terminal's Ctrl-C is ours), its output in the log file."""
    output = open_log(log)
    try:
        popen = subprocess.Popen(
            [str(part) for part in argv],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=pass_fds,
            cwd=cwd or "/",
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            preexec_fn=functools.partial(die_with, os.getpid(), dies_by),  # noqa: PLW1509 two system calls only
        )
    finally:
        os.close(output)
    return OwnProcess(popen)


async def complete(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log: Path,
    user: OsUser | None = None,
    cwd: Path | None = None,
) -> int:
    """Runs a program to its end; a cancelled wait ends the program too."""
    process = start(argv, env=env, log=log, user=user, cwd=cwd)
    try:
        return await process.wait()
    except asyncio.CancelledError:
        send(process.pid, signal.SIGKILL)
        await process.wait()
        raise


def open_log(path: Path) -> int:
    """A descriptor that appends; a log grown past its limit is put aside, so that logs never fill a disk."""
    if path.exists() and path.stat().st_size > KEEP_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


LIBRARY_MISSING = re.compile(r"error while loading shared libraries: (\S+):")
LIBRARY_PACKAGES = {"libz.so.1": "zlib1g"}


def last_line(path: Path) -> str:
    """The last words of a log, for a reason in one line; for a missing library, what installs it."""
    line = _last_line(path)
    if missing := LIBRARY_MISSING.search(line):
        package = LIBRARY_PACKAGES.get(missing[1], f"<the package that has {missing[1]}>")
        return f"this machine lacks {missing[1]}: sudo apt-get install -y {package}"
    return line


def _last_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except FileNotFoundError:
        return "it wrote no log"
    return lines[-1].strip()[:300] if lines else "it wrote nothing"


def send(pid: int, how: signal.Signals) -> bool:
    """Signals the process; False when it is gone already."""
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return False
    return True


def born(pid: int) -> str | None:
    """When the process started, as the system tells it: with the pid, it names one process for ever."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return _born_by_ps(pid) if sys.platform != "linux" else None
    except ProcessLookupError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else fields[18]


def _born_by_ps(pid: int) -> str | None:
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def end_leftovers(known: Iterable[tuple[int, str]], within: float = 8.0) -> list[int]:
    """Ends processes of an earlier life that are still there, asking first; answers the pids it ended."""
    left = [(pid, birth) for pid, birth in known if born(pid) == birth]
    for pid, _ in left:
        send(pid, signal.SIGTERM)
    ended = [pid for pid, _ in left]
    deadline = time.monotonic() + within
    while left := [(pid, birth) for pid, birth in left if born(pid) == birth]:
        if time.monotonic() > deadline:
            for pid, _ in left:
                send(pid, signal.SIGKILL)
        # Not our children: the system tells nobody of their end, so this looks again.
        time.sleep(0.02)
    return ended
