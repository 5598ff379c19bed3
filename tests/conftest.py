"""Fixtures of all levels, and the last line: what was skipped, and the command that changes it."""

import os

import pytest

LONGEST = "tests/integration/test_api_document.py"
"""Two minutes in one test: begun first, so that no process ends up waiting for it."""

pytest_plugins = ["tests.support.stack", "tests.support.postgres", "tests.support.gateway", "tests.support.running"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def _skipped(reporter: pytest.TerminalReporter) -> dict[str, int]:
    reasons: dict[str, int] = {}
    for report in reporter.stats.get("skipped", []):
        longrepr = report.longrepr
        reason = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
        reasons[reason.removeprefix("Skipped: ")] = reasons.get(reason.removeprefix("Skipped: "), 0) + 1
    return reasons


def pytest_unconfigure(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    for reason, count in _skipped(reporter).items():
        reporter.write_line(f"{count} tests were skipped: {reason}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where nothing may be skipped, a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput"):
        return
    if os.environ.get("SORAMI_TESTS_SKIP_NOTHING") and _skipped(reporter) and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
