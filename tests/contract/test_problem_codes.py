"""The list of problem codes is true: every code the services can answer with is on it, and nothing else is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.problems import PROBLEMS, KnownProblem, find_problem

ROOT = Path(__file__).parents[2]
# Where the code stands among the arguments of what raises or builds a problem.
PLACES = {
    "Problem": 1,
    "Fault": 1,
    "fault": 0,
    "not_authenticated": 0,
    "TokenRefused": 0,
    "JsonRefused": 0,
    "AddressRefused": 0,
    "UploadRefused": 0,
}


def sources() -> Iterator[Path]:
    for folder in ("contracts", "services/gateway", "services/notifier", "services/runtime"):
        yield from (ROOT / folder).rglob("*.py")


def codes_of(file: Path) -> Iterator[tuple[str, int]]:
    """Yield every code that is spelt in a file, with `x` for what is filled in, and its line."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in PLACES:
            continue
        place = PLACES[node.func.id]
        if len(node.args) > place:
            yield from ((text, node.lineno) for text in _texts(node.args[place]))


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in parts)
        case ast.IfExp(body=first, orelse=second):
            yield from _texts(first)
            yield from _texts(second)


FOUND = {(code, f"{file.relative_to(ROOT)}:{line}") for file in sources() for code, line in codes_of(file)}


def test_the_scan_finds_codes() -> None:
    assert len({code for code, _ in FOUND}) > 40
    assert tuple(sorted({code for code, _ in FOUND} & {"auth_missing", "job_not_found"})) == (
        "auth_missing",
        "job_not_found",
    )


def test_every_code_that_is_answered_is_listed() -> None:
    unlisted = sorted(f"{code} ({place})" for code, place in FOUND if find_problem(code) is None)
    assert unlisted == [], "add them to contracts/problems.py"


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.code)
def test_a_listed_code_is_answered_somewhere(problem: KnownProblem) -> None:
    text = problem.code.replace("<field>", "")
    places = [file for file in sources() if file.name != "problems.py" or "contracts" not in file.parts]
    assert any(f'{text}"' in file.read_text(encoding="utf-8") for file in places), f"{problem.code} is dead"


def test_codes_are_listed_once() -> None:
    codes = [problem.code for problem in PROBLEMS]
    assert len(codes) == len(set(codes))
