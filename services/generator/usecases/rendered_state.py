"""What a provider made, as JSON that any process can go on with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.generator.providers.base import Finished, MediaRef


def write_rendered(finished: Finished) -> str:
    """Write where the media lie; a path leads to a file of this machine."""
    media = [
        {
            "index": ref.index,
            "kind": ref.kind,
            "url": ref.url,
            "path": str(ref.path) if ref.path else None,
            "description": ref.description,
            "storage_key": ref.storage_key,
        }
        for ref in finished.media
    ]
    return plain_json({"media": media, "metadata": dict(finished.metadata), "charged": finished.charged})


def read_rendered(state: Mapping[str, Any]) -> Finished:
    """Read what `write_rendered` wrote."""
    media = [MediaRef(**{**ref, "path": Path(ref["path"]) if ref["path"] else None}) for ref in state["media"]]
    return Finished(media, state["metadata"], state["charged"])


def plain_json(value: Any) -> str:
    """Write JSON that Postgres takes: it has no place for the character NUL."""
    return json.dumps(_without_nul(value))


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {name: _without_nul(item) for name, item in value.items()}
    return [_without_nul(item) for item in value] if isinstance(value, list | tuple) else value
