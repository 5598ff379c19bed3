"""What tests of the page use beside Python, from two lock files: Node (a wheel), TypeScript, axe and types (npm)."""

from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / ".venv" / "page-tools"


def needed(tool: Path) -> Path:
    """Return the tool, or skip the test and say how to get it."""
    if not tool.exists():
        pytest.skip("no Node, TypeScript and axe for the page; install them with: make page-tools")
    return tool
