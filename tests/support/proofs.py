"""Tables in Markdown that say of each row which tests prove it: read, and held against the tests that there are.

A proof is `file.py::test_name`, with `[H13]` behind it where only those of its cases count whose names begin so;
anything else in its place is words (a decision, or whose work it still is).
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
_LINE = re.compile(r"^\| (?P<row>[A-Z]\d+b?) \| (?P<what>[^|]+) \| (?P<proof>[^|]+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(?P<path>[\w/.]+\.py)::(?P<name>\w+)(?:\[(?P<cases>[^\]]+)\])?`")


@dataclass(frozen=True, slots=True)
class Proof:
    """A test, or some of its cases."""

    path: str
    name: str
    cases: str | None

    @property
    def file(self) -> Path:
        return TESTS / self.path

    def fault(self) -> str | None:
        """Say what is wrong with it: a test that does not exist proves nothing."""
        if not self.file.is_file():
            return f"there is no file {self.path}"
        if self.name not in _functions_of(self.file) or not self.name.startswith("test_"):
            return f"there is no test {self.name} in {self.path}"
        if self.cases is not None and not re.search(rf"""["'(]{re.escape(self.cases)}(?!\d)""", self.file.read_text()):
            return f"{self.name} in {self.path} has no case {self.cases}"
        return None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: its name, what it asks, the tests, and what is said beside them."""

    name: str
    what: str
    proofs: Sequence[Proof]
    words: Sequence[str]


def read_table(path: Path) -> list[Row]:
    """Return the lines of a table in their order."""
    return [_row(match) for match in _LINE.finditer(path.read_text(encoding="utf-8"))]


def _row(match: re.Match[str]) -> Row:
    cells = [cell.strip() for cell in match["proof"].split("<br>")]
    found = [_TEST.fullmatch(cell) for cell in cells]
    proofs = [Proof(one["path"], one["name"], one["cases"]) for one in found if one]
    words = [cell for cell, one in zip(cells, found, strict=True) if one is None]
    return Row(match["row"], match["what"].strip(), proofs, words)


@cache
def _functions_of(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
