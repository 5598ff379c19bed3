"""What a bench found: rows with goal, result and spread, as JSON, a Markdown table and a picture."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

from tests.bench.running import Spread


@dataclass(frozen=True)
class Row:
    """One figure; `goal` is the least (`at_least`) or the most it may be, None for what is only told."""

    scenario: str
    figure: str
    unit: str
    spread: Spread
    goal: float | None = None
    at_least: bool = True
    foreign: float = 0.0
    """Cores that other processes used in the noisiest round that was kept."""

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.spread.median >= self.goal if self.at_least else self.spread.median <= self.goal

    @property
    def shown_goal(self) -> str:
        return "" if self.goal is None else f"{'≥' if self.at_least else '≤'} {number(self.goal)} {self.unit}".strip()


def number(value: float) -> str:
    """Write a number with three figures that matter."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def as_table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| | figure | goal | result | spread | rounds |", "|---|---|---|---|---|---|"]
    for row in rows:
        mark = {True: "✓", False: "✗", None: ""}[row.met]
        spread = f"{number(row.spread.low)} … {number(row.spread.high)}" if row.spread.count > 1 else ""
        noisy = f" (others {row.foreign:.1f} cores)" if row.foreign > 0.2 else ""
        result = f"{number(row.spread.median)} {row.unit}".strip()
        lines.append(f"| {mark} | {row.figure} | {row.shown_goal} | {result} | {spread} | {row.spread.count}{noisy} |")
    return "\n".join(lines) + "\n"


def as_json(rows: Sequence[Row], about: dict[str, Any]) -> str:
    """Return all that was found, for programs."""
    return json.dumps({**about, "rows": [asdict(row) | {"met": row.met} for row in rows]}, indent=1) + "\n"


def read_rows(text: str) -> list[Row]:
    """Return the rows of a report written by `as_json`."""
    found = []
    for one in json.loads(text)["rows"]:
        one.pop("met")
        found.append(Row(**{**one, "spread": Spread(**one["spread"])}))
    return found


def as_picture(rows: Sequence[Row]) -> str:
    """Draw how far each figure with a goal is from it: the line is the goal, right of it is better."""
    shown = [(row, share) for row in rows if (share := _share(row)) is not None]
    height, width, left, goal_at = 24, 900, 430, 180.0
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height * len(shown) + 40}"'
        ' font-family="system-ui, sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{left + goal_at}" y="16" text-anchor="middle" fill="#555">goal</text>',
    ]
    for place, (row, share) in enumerate(shown):
        top = 24 + place * height
        length = max(2.0, min(share * goal_at, width - left - 70))
        colour = "#2f855a" if row.met else "#c05621"
        lines += [
            f'<text x="{left - 8}" y="{top + 15}" text-anchor="end" fill="#222">{escape(row.figure[:68])}</text>',
            f'<rect x="{left}" y="{top + 3}" width="{length:.1f}" height="16" fill="{colour}" rx="2"/>',
            f'<text x="{left + length + 6:.1f}" y="{top + 15}" fill="#222">{number(row.spread.median)}'
            f" {escape(row.unit)}</text>",
        ]
    end = 24 + len(shown) * height
    lines.append(f'<line x1="{left + goal_at}" y1="20" x2="{left + goal_at}" y2="{end}" stroke="#555"/>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def _share(row: Row) -> float | None:
    if not row.goal or not row.spread.median:
        return None
    return row.spread.median / row.goal if row.at_least else row.goal / row.spread.median


def write(rows: Sequence[Row], folder: Path, about: dict[str, Any]) -> None:
    """Write report.json, report.md and report.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(as_json(rows, about))
    (folder / "report.md").write_text(as_table(rows))
    (folder / "report.svg").write_text(as_picture(rows))


def compare(base: Sequence[Row], now: Sequence[Row]) -> str:
    """Return a table of two commits: what each measured, and how many times the first the second is."""
    before = {(row.scenario, row.figure): row for row in base}
    lines = ["| figure | base | now | now / base |", "|---|---|---|---|"]
    for row in now:
        was = before.get((row.scenario, row.figure))
        if was is None or not was.spread.median:
            continue
        times = row.spread.median / was.spread.median
        old, new = (f"{number(one.spread.median)} {one.unit}" for one in (was, row))
        lines.append(f"| {row.figure} | {old} | {new} | {times:.2f} |")
    return "\n".join(lines) + "\n"
