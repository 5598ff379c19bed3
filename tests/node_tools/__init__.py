"""What tests use of JavaScript, from two lock files: Node (a wheel); TypeScript, axe and a webhook library (npm)."""

from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / ".venv" / "node-tools"


def needed(tool: Path) -> Path:
    """Return the tool, or skip the test and say how to get it."""
    if not tool.exists():
        pytest.skip("no Node and what runs on it; install them with: make node-tools")
    return tool
