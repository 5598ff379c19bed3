"""The alerts are what Prometheus itself takes; each fires and clears by its own tool (make alerts-check)."""

import re
import shutil
import subprocess

import pytest

from sorami.chart_documents import OBSERVABILITY
from tests.support.chart import ROOT

PROMTOOL = ROOT / ".venv" / "promtool"
RULES, CASES = OBSERVABILITY / "rules.yaml", OBSERVABILITY / "rules_test.yaml"


@pytest.fixture(scope="module")
def promtool() -> str:
    found = str(PROMTOOL) if PROMTOOL.exists() else shutil.which("promtool")
    assert found is not None, "Prometheus' own tool is not there: make alerts-check builds it, with Go"
    return found


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_rules(promtool: str) -> None:
    assert re.search(r"SUCCESS: \d+ rules found", run(promtool, "check", "rules", "--lint=all", str(RULES)))


def test_every_alert_fires_and_clears(promtool: str) -> None:
    assert "SUCCESS" in run(promtool, "test", "rules", str(CASES))
