"""The alerts are what Prometheus itself takes, and each fires and clears, by Prometheus' own tool."""

import re
import shutil
import subprocess

import pytest
import yaml

from sorami.chart_documents import OBSERVABILITY
from tests.support.chart import ROOT

PROMTOOL = ROOT / ".venv" / "promtool" / "promtool"
RULES, CASES = OBSERVABILITY / "rules.yaml", OBSERVABILITY / "rules_test.yaml"


@pytest.fixture(scope="module")
def promtool() -> str:
    found = str(PROMTOOL) if PROMTOOL.exists() else shutil.which("promtool")
    if found is None:
        pytest.skip("alerts are judged by Prometheus' own tool, which needs Go: make promtool")
    return found


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_rules(promtool: str) -> None:
    assert re.search(r"SUCCESS: \d+ rules found", run(promtool, "check", "rules", "--lint=all", str(RULES)))


def test_every_alert_fires_and_clears(promtool: str) -> None:
    assert "SUCCESS" in run(promtool, "test", "rules", str(CASES))


def test_no_alert_is_without_a_case_of_both() -> None:
    alerts = {
        rule["alert"]
        for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    fires: set[str] = set()
    clears: set[str] = set()
    for case in yaml.safe_load(CASES.read_text(encoding="utf-8"))["tests"]:
        fired: set[str] = set()
        for asked in case["promql_expr_test"]:
            name = re.search(r'alertname="(\w+)"', asked["expr"])
            if name is None:
                continue
            if asked.get("exp_samples"):
                fired.add(name[1])
            elif name[1] in fired:
                clears.add(name[1])
        fires |= fired
    assert fires == alerts
    assert clears == alerts
