"""Every row of the user's five documents has its proof: tests/SEEDS.md names a test, or the work that still owes it."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROW = re.compile(r"^\| (?P<row>[A-R]\d+b?) \| (?P<what>[^|]+) \| (?P<proof>[^|]+) \|$", re.MULTILINE)
# How many rows each section of the inventory has, and those whose number is not its place.
SECTIONS = {
    "A": 15,
    "B": 12,
    "C": 11,
    "D": 5,
    "E": 10,
    "F": 4,
    "G": 7,
    "H": 6,
    "I": 10,
    "J": 6,
    "K": 8,
    "L": 6,
    "M": 3,
    "N": 10,
    "O": 5,
    "P": 12,
    "Q": 9,
    "R": 20,
}
# E1 to E4 are the payloads themselves; A5b and L1b were inserted later.
EXPECTED = {f"{section}{number}" for section, most in SECTIONS.items() for number in range(1, most + 1)} | {
    "A5b",
    "L1b",
}
TABLE = {match["row"]: match["proof"] for match in ROW.finditer((TESTS / "SEEDS.md").read_text(encoding="utf-8"))}
PROOFS = [(row, proof.strip(" `")) for row, cell in TABLE.items() for proof in cell.split("<br>")]


@cache
def functions_of(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_row_has_a_line() -> None:
    assert set(TABLE) == EXPECTED


def test_no_row_stands_twice() -> None:
    rows = [match["row"] for match in ROW.finditer((TESTS / "SEEDS.md").read_text(encoding="utf-8"))]
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize(("row", "proof"), PROOFS)
def test_a_row_is_proved_by_a_test_that_exists_or_owed_by_a_later_piece_of_work(row: str, proof: str) -> None:
    if re.fullmatch(r"owed by [C-I]", proof):
        return
    path, separator, name = proof.partition("::")
    assert separator, f"{row}: {proof!r} is neither a test nor `owed by …`"
    file = TESTS / path
    assert file.is_file(), f"{row}: there is no file {path}"
    assert name in functions_of(file), f"{row}: there is no test {name} in {path}"
    assert name.startswith("test_")
