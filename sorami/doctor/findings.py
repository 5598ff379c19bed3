"""What the doctor finds."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["ok", "look", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was examined, how it is, and what to do about it."""

    about: str
    state: State
    says: str
    do: str | None = None


def ok(about: str, says: str) -> Finding:
    """Return that something is well."""
    return Finding(about, "ok", says)


def look(about: str, says: str, do: str) -> Finding:
    """Return that something works and is worth a look."""
    return Finding(about, "look", says, do)


def bad(about: str, says: str, do: str) -> Finding:
    """Return that something does not work."""
    return Finding(about, "bad", says, do)


def as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain data."""
    return [asdict(finding) for finding in findings]


def as_text(findings: Iterable[Finding]) -> str:
    """Return a line a finding, with what to do below it."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.state:<5}{finding.about:<14}{finding.says}")
        if finding.do:
            lines.append(f"{'':<19}-> {finding.do}")
    return "\n".join(lines)
