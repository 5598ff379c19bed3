"""A folder of JSON files that an operator wrote."""

import json
from pathlib import Path
from typing import Any


def read_json_folder(folder: Path | None) -> dict[str, Any]:
    """Return the content of every `<name>.json` by name; raises ValueError for a file that is none."""
    if folder is None:
        return {}
    if not folder.is_dir():
        raise ValueError(f"{folder.name} is not a folder")
    contents = {}
    for path in sorted(folder.glob("*.json")):
        try:
            contents[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from None
    return contents
