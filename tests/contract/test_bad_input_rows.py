"""No row of the bad-input table is forgotten: each has a test whose id or name begins with it."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "bad_input"
ROWS = {f"H{number}" for number in range(1, 43)} | {f"U{number}" for number in range(1, 22)}


def test_every_row_has_a_test() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in FOLDER.glob("test_*.py"))
    named = set(re.findall(r"""(?:test_|[\"'])([HU]\d+)(?![0-9])""", text))
    assert sorted(ROWS - named) == []
