"""Kafka's jars: pinned by coordinates and SHA-256 in `kafka.lock`, fetched once into the user's cache folder."""

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sorami.local.errors import SettingError, StackError, first_of
from sorami.local.home import read_json, write_json

if TYPE_CHECKING:
    import httpx

LOCK = Path(__file__).with_name("kafka.lock")
AT_ONCE = 8
TRIES = 4
# (bytes so far, bytes in all)
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Jar:
    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def filename(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def path(self) -> str:
        """Where every Maven repository keeps it."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.filename}"


def locked() -> list[Jar]:
    jars = []
    for line in LOCK.read_text().splitlines():
        if line and not line.startswith("#"):
            coordinates, digest, size = line.split()
            group, artifact, version = coordinates.split(":")
            jars.append(Jar(group, artifact, version, digest.removeprefix("sha256:"), int(size)))
    return jars


def folder(environ: Mapping[str, str]) -> Path:
    """`SORAMI_KAFKA_JARS` (an offline folder), else the user's cache folder."""
    if given := environ.get("SORAMI_KAFKA_JARS"):
        return Path(given).expanduser()
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "sorami" / "kafka"


async def ready(environ: Mapping[str, str], progress: Progress = lambda _done, _all: None) -> list[Path]:
    """The jars' files, each one checked against the lock; what is missing or differs is fetched."""
    jars = locked()
    place = folder(environ)
    wrong = _differing(place, jars)
    if wrong and environ.get("SORAMI_KAFKA_JARS"):
        names = ", ".join(jar.filename for jar in wrong[:3])
        raise SettingError(
            f"SORAMI_KAFKA_JARS={place}: {len(wrong)} of {len(jars)} jars are missing or not the locked ones "
            f"({names}{' …' if len(wrong) > 3 else ''})"
        )
    if wrong:
        _make_folder(place)
        await _fetch(wrong, place, environ, progress)
    return [place / jar.filename for jar in jars]


def _make_folder(place: Path) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(
            f"cannot make {place} for Kafka's jars ({error.strerror}): name another cache folder, XDG_CACHE_HOME=…"
        ) from error


def _differing(place: Path, jars: list[Jar]) -> list[Jar]:
    """Hashes a jar again only when its file changed since the last look."""
    stamps = place / ".checked.json"
    seen = read_json(stamps) if stamps.exists() else {}
    now: dict[str, str] = {}
    for jar in jars:
        file = place / jar.filename
        try:
            stat = file.stat()
        except FileNotFoundError:
            continue
        stamp = f"{jar.sha256} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"
        if seen.get(jar.filename) == stamp or hashlib.sha256(file.read_bytes()).hexdigest() == jar.sha256:
            now[jar.filename] = stamp
    if now != seen and os.access(place, os.W_OK):
        write_json(stamps, now, durable=False)
    return [jar for jar in jars if jar.filename not in now]


def _refuse_other(jar: Jar, digest: str, source: str) -> None:
    if digest != jar.sha256:
        raise StackError(f"{jar.filename} from {source} is not the locked one (its SHA-256 differs): refused")


def _base(environ: Mapping[str, str]) -> str:
    if mirror := environ.get("SORAMI_MAVEN_MIRROR"):
        return mirror.rstrip("/")
    from jgo.constants import MAVEN_CENTRAL_URL

    return str(MAVEN_CENTRAL_URL).rstrip("/")


async def _fetch(jars: list[Jar], place: Path, environ: Mapping[str, str], progress: Progress) -> None:
    import httpx

    base = _base(environ)
    done, total = 0, sum(jar.size for jar in jars)
    gate = asyncio.Semaphore(AT_ONCE)

    def count(size: int) -> None:
        nonlocal done
        done += size
        progress(done, total)

    async def one(client: httpx.AsyncClient, jar: Jar) -> None:
        async with gate:
            await _fetch_one(client, base, jar, place, count)

    progress(0, total)
    try:
        async with (
            httpx.AsyncClient(timeout=60.0, follow_redirects=True) as client,
            asyncio.TaskGroup() as group,
        ):
            for jar in jars:
                group.create_task(one(client, jar))
    except BaseExceptionGroup as errors:
        # Not `except*`: before Python 3.11.4 it wraps what is raised in it.
        if refused := errors.subgroup(StackError):
            raise first_of(refused) from None
        if network := errors.subgroup(httpx.HTTPError):
            raise StackError(
                f"cannot fetch Kafka's jars ({network.exceptions[0]}): check the network, "
                "or name a mirror (SORAMI_MAVEN_MIRROR) or a folder that holds them (SORAMI_KAFKA_JARS)",
                code=75,
            ) from None
        if disk := errors.subgroup(OSError):
            raise StackError(f"cannot write Kafka's jars to {place}: {disk.exceptions[0]}") from None
        raise


async def _fetch_one(
    client: "httpx.AsyncClient", base: str, jar: Jar, place: Path, count: Callable[[int], None]
) -> None:
    import httpx

    for attempt in range(1, TRIES + 1):
        got = 0
        digest = hashlib.sha256()
        part = place / f".{jar.filename}.{os.getpid()}"
        try:
            with part.open("wb") as file:
                async with client.stream("GET", f"{base}/{jar.path}") as answer:
                    answer.raise_for_status()
                    async for piece in answer.aiter_bytes():
                        file.write(piece)
                        digest.update(piece)
                        got += len(piece)
                        count(len(piece))
            _refuse_other(jar, digest.hexdigest(), "the registry")
            part.rename(place / jar.filename)
            return
        except httpx.HTTPError as error:
            count(-got)
            gone = isinstance(error, httpx.HTTPStatusError) and error.response.status_code < 500
            if gone or attempt == TRIES:
                raise
            await asyncio.sleep(0.5 * attempt)
        finally:
            part.unlink(missing_ok=True)
