"""`make security-report`: runs the tests that tests/SECURITY.md names, and says what became of each row.

They run on the real stack. A report for people, one for programs and a bill of materials go to .sorami/security/. Ends
with 1 when a row is red or was skipped. ROWS="K S9" runs a section and a row. SORAMI_ADVISORIES names a server that
speaks like api.osv.dev, which is asked once for what is known of the locked packages.
"""

import json
import os
import platform
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest

from sorami.bill_of_materials import LOCK, bill_of_materials
from tests.support.proofs import TESTS, Proof, Row, read_table

FOLDER = TESTS.parent / ".sorami" / "security"
MATRIX = "tests/integration/test_object_levels.py"
VERSIONS = ("faststream", "aiokafka", "asyncpg", "fastapi", "pydantic", "pillow", "av", "cryptography", "pyjwt")
_WORSE = ("passed", "skipped", "failed")


class Outcomes:
    """A plugin of pytest that runs the named tests alone, and notes how each ended."""

    def __init__(self, named: set[str]) -> None:
        self.of: dict[str, str] = {}
        self._named = named

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what is named: whole files, or tests with all of their cases."""
        items[:] = [
            item for item in items if {item.nodeid.partition("[")[0], item.nodeid.partition("::")[0]} & self._named
        ]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that was skipped whole, for want of what it needs."""
        if report.skipped:
            self.of |= {name: "skipped" for name in self._named if name.startswith(f"{report.nodeid}::")}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the worst of a test's setup, call and teardown."""
        known = self.of.get(report.nodeid, "passed")
        self.of[report.nodeid] = max(known, report.outcome, key=_WORSE.index)


@dataclass
class Judged:
    """A row and what became of it: `passed`, `failed`, `skipped`, `missing` (nothing ran) or `decided`."""

    row: str
    what: str
    result: str
    tests: dict[str, str] = field(default_factory=dict)
    decisions: list[str] = field(default_factory=list)


def node_of(proof: Proof) -> str:
    """Return what pytest calls the test."""
    return f"tests/{proof.path}::{proof.name}"


def proves(proof: Proof, node: str) -> bool:
    """Tell whether a test that ran is this proof, or one of the cases that it names."""
    name, _, cases = node.partition("[")
    if name != node_of(proof):
        return False
    wanted = proof.cases
    if wanted is None or not cases:
        return True
    return any(
        part.startswith(wanted) and not part[len(wanted) : len(wanted) + 1].isdigit()
        for part in (cases, *cases.rstrip("]").split("-"))
    )


def judge(row: Row, outcomes: dict[str, str]) -> Judged:
    """Say what became of a row."""
    tests: dict[str, str] = {}
    for proof in row.proofs:
        found = {node: outcome for node, outcome in outcomes.items() if proves(proof, node)}
        tests |= found or {f"{node_of(proof)}{f'[{proof.cases}]' if proof.cases else ''}": "missing"}
    results = Counter(tests.values())
    result = next((one for one in ("failed", "missing", "skipped") if results[one]), "passed" if tests else "decided")
    return Judged(row.name, row.what, result, tests, list(row.words))


def run(rows: list[Row]) -> dict[str, str]:
    """Run every test that is named, and the whole authorisation matrix with the row that is about it."""
    nodes = {node_of(proof) for row in rows for proof in row.proofs}
    named = nodes | {MATRIX for node in nodes if node.startswith(MATRIX)}
    outcomes = Outcomes(named)
    files = sorted({node.partition("::")[0] for node in named})
    pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", *files], plugins=[outcomes])
    return outcomes.of


def advisories() -> list[str]:
    """Return what is known against locked packages; says loudly when nobody was asked."""
    server = os.environ.get("SORAMI_ADVISORIES")
    if not server:
        return ["NOT ASKED: no source of advisories; name one, as in SORAMI_ADVISORIES=https://api.osv.dev"]
    components = bill_of_materials(LOCK.read_text("utf-8"))["components"]
    queries = [{"package": {"purl": one["purl"]}} for one in components]
    try:
        answer = httpx.post(f"{server.rstrip('/')}/v1/querybatch", json={"queries": queries}, timeout=30)
        results = answer.raise_for_status().json()["results"]
    except (httpx.HTTPError, ValueError, KeyError) as error:
        return [f"NOT ASKED: {server} did not answer ({type(error).__name__})"]
    return [
        f"{one['purl']}: {', '.join(known['id'] for known in found['vulns'])}"
        for one, found in zip(components, results, strict=True)
        if found.get("vulns")
    ] or [f"none of {len(components)} packages is known to be vulnerable"]


def report(rows: list[Judged], outcomes: dict[str, str]) -> dict[str, Any]:
    """Put together all that is told."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=TESTS, check=False)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip() or None,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in VERSIONS}},
        "summary": Counter(row.result for row in rows),
        "matrix": Counter(outcome for node, outcome in outcomes.items() if node.startswith(MATRIX)),
        "advisories": advisories(),
        "rows": [asdict(row) for row in rows],
    }


def as_markdown(told: dict[str, Any]) -> str:
    """Write the report for people."""
    lines = [f"# Security report of {told['date']}", "", f"Commit {told['commit']}. {summary(told)}", ""]
    lines += [f"- {name} {number}" for name, number in told["versions"].items()]
    lines += ["", "## Advisories", "", *(f"- {line}" for line in told["advisories"])]
    lines += ["", "## Rows", "", "| row | what it is about | result | by |", "|---|---|---|---|"]
    for row in told["rows"]:
        by_test: dict[str, list[str]] = defaultdict(list)
        for node, outcome in row["tests"].items():
            by_test[node.partition("[")[0].removeprefix("tests/")].append(outcome)
        proofs = [f"{name}: {_counted(outcomes)}" for name, outcomes in by_test.items()]
        lines.append(f"| {row['row']} | {row['what']} | {row['result']} | {'<br>'.join(proofs + row['decisions'])} |")
    return "\n".join(lines) + "\n"


def _counted(outcomes: list[str]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in Counter(outcomes).items())


def summary(told: dict[str, Any]) -> str:
    """Return one sentence."""
    rows = ", ".join(f"{count} {result}" for result, count in sorted(told["summary"].items()))
    cells = ", ".join(f"{count} {result}" for result, count in sorted(told["matrix"].items()))
    return f"{sum(told['summary'].values())} rows: {rows}. The authorisation matrix: {cells}."


def main() -> int:
    """Run, write and print; returns the exit code."""
    wanted = tuple(sys.argv[1:]) or ("",)
    rows = [
        row for row in read_table(TESTS / "SECURITY.md") if row.name in wanted or row.name[0] in wanted or "" in wanted
    ]
    outcomes = run(rows)
    judged = [judge(row, outcomes) for row in rows]
    told = report(judged, outcomes)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "report.json").write_text(json.dumps(told, indent=2, ensure_ascii=False), "utf-8")
    (FOLDER / "report.md").write_text(as_markdown(told), "utf-8")
    (FOLDER / "sbom.json").write_text(json.dumps(bill_of_materials(LOCK.read_text("utf-8")), indent=2), "utf-8")
    for row in judged:
        if row.result not in ("passed", "decided"):
            bad = [f"  {node}: {outcome}" for node, outcome in row.tests.items() if outcome != "passed"]
            print("\n".join([f"{row.row} {row.what}: {row.result}", *bad]))
    print(*told["advisories"], sep="\n")
    print(summary(told))
    print(f"written to {FOLDER.relative_to(Path.cwd()) if FOLDER.is_relative_to(Path.cwd()) else FOLDER}")
    red = [row for row in judged if row.result not in ("passed", "decided")]
    return 1 if red or set(told["matrix"]) - {"passed"} else 0


if __name__ == "__main__":
    sys.exit(main())
