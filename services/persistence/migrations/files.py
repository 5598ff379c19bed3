"""The SQL files as they stand beside this module: their order, phase and checksum."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from services.runtime.schema_version import NAME

FOLDER = Path(__file__).parent
ROLES_FILE = "roles.sql"
SERVICE_ROLES = ("sorami_gateway", "sorami_generator", "sorami_persistence", "sorami_notifier")
ROLES = (*SERVICE_ROLES, "sorami_reader")
"""Those of the services, and the one that the gateway takes to read for a person."""


@dataclass(frozen=True, slots=True)
class SqlFile:
    """One file; `pre` runs before the new code, `post` after it."""

    name: str
    phase: str
    sql: str

    @property
    def checksum(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


def read_sql(path: Path, phase: str) -> SqlFile:
    # A checkout with other line ends is the same migration.
    return SqlFile(path.name, phase, path.read_text(encoding="utf-8").replace("\r\n", "\n"))


def numbered_files(folder: Path = FOLDER) -> list[SqlFile]:
    """Every migration in order; a stray or doubly numbered file is an error of the build."""
    files = []
    for number, path in enumerate(sorted(folder.glob("[0-9]*.sql")), start=1):
        match = NAME.match(path.name)
        if match is None or int(match["number"]) != number:
            raise ValueError(f"{path.name} is not migration {number:04d}_pre_….sql or {number:04d}_post_….sql")
        files.append(read_sql(path, match["phase"]))
    return files


def roles_file(folder: Path = FOLDER) -> SqlFile:
    """Roles and grants: not numbered, applied again whenever its text changed or a role is missing."""
    return read_sql(folder / ROLES_FILE, "roles")


def due(files: list[SqlFile], applied: set[str], phase: str) -> list[SqlFile]:
    """What a phase still has to apply: `pre` stops at the last pre file, what comes before it keeps its order."""
    last = len(files)
    if phase == "pre":
        last = max((place for place, file in enumerate(files, start=1) if file.phase == "pre"), default=0)
    return [file for file in files[:last] if file.name not in applied]
