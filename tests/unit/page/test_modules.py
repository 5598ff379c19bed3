"""The page's modules in Node and under TypeScript's checks; both come with `make node-tools`, else they are skipped."""

import subprocess
from pathlib import Path

import pytest

from tests.node_tools import TOOLS, needed

MODULES = Path(__file__).parent / "modules"


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]


@pytest.fixture(scope="module")
def node() -> str:
    return str(needed(TOOLS / "node" / "bin" / "node"))


def test_modules_do_what_they_say(node: str) -> None:
    run(node, "--test", "--no-warnings", *map(str, sorted(MODULES.glob("*.test.mjs"))))


def test_types_agree(node: str) -> None:
    run(node, str(needed(TOOLS / "node_modules/typescript/bin/tsc")), "-p", str(TOOLS / "check"))
