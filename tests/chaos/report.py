"""What a run found, as JSON for machines and Markdown for people, written after each scenario."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.judge import brief


@dataclass
class Entry:
    """One scenario of a run."""

    name: str
    row: str
    seed: int
    injected: str
    outcome: str
    """green, red, or skipped."""
    seconds: float = 0.0
    why: str = ""
    violations: list[tuple[str, str]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def repeat(self) -> str:
        return f"make chaos ONLY={self.name} SEED={self.seed}"


class Report:
    """The report of one run, in a folder of its own."""

    def __init__(self, folder: Path, title: str) -> None:
        self.folder = folder
        self.title = title
        self.entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.write()

    def outcomes(self, outcome: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.outcome == outcome]

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        whole = {"title": self.title, "scenarios": [asdict(entry) for entry in self.entries]}
        (self.folder / "report.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False, default=str) + "\n")
        (self.folder / "report.md").write_text("\n".join(self._lines()) + "\n")

    def _lines(self) -> list[str]:
        lines = [
            f"# {self.title}",
            "",
            self.summary(),
            "",
            "| scenario | row | seed | outcome | s | jobs | settled s |",
        ]
        lines.append("|---|---|---|---|---|---|---|")
        for entry in self.entries:
            figures = entry.figures
            lines.append(
                f"| {entry.name} | {entry.row} | {entry.seed} | {entry.outcome} | {entry.seconds:.0f} "
                f"| {figures.get('jobs', '')} | {figures.get('settled_seconds', '')} |"
            )
        for entry in self.entries:
            lines += ["", f"## {entry.name}", "", f"{entry.injected} ({entry.row}, seed {entry.seed}): {entry.outcome}"]
            lines += [f"\n{entry.why}"] if entry.why else []
            lines += ["", *(f"- {line}" for line in brief(entry.violations, 100))] if entry.violations else []
            lines += ["", f"Again: `{entry.repeat}`"] if entry.outcome == "red" else []
            lines += ["", "```json", json.dumps(entry.figures, indent=1, default=str), "```"] if entry.figures else []
        return lines

    def summary(self) -> str:
        """Say in a line how it went."""
        green, red, skipped = (len(self.outcomes(outcome)) for outcome in ("green", "red", "skipped"))
        jobs = sum(entry.figures.get("jobs", 0) for entry in self.entries)
        seconds = sum(entry.seconds for entry in self.entries)
        said = f"{green} green, {red} red"
        return f"{said}, {skipped} skipped; {jobs} jobs in {seconds / 60:.1f} minutes"
