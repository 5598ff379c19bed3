"""The seeds' own JSON, as it stands in their documents."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent.parent / "golden"


def golden(name: str) -> Any:
    """Read a payload of the seeds, e.g. `e1_completed`."""
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
