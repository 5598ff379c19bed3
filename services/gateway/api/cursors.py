"""Opaque cursors of keyset pages: a position in one person's own list."""

import base64
import binascii
import hashlib
import json
from datetime import datetime

from services.gateway.queries import GenerationView
from services.runtime.problems import Problem

MOST = 200


def _owner_mark(owner_id: str) -> str:
    return hashlib.sha256(owner_id.encode()).hexdigest()[:12]


def write_cursor(last: GenerationView, owner_id: str) -> str:
    """Return the cursor after an item."""
    position = [last.created_at.isoformat(), last.id, _owner_mark(owner_id)]
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def read_cursor(text: str | None, owner_id: str) -> tuple[datetime, str] | None:
    """Read a cursor of this owner; raises a 400 problem for any other text."""
    if text is None:
        return None
    try:
        moment, place, mark = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if mark != _owner_mark(owner_id) or not isinstance(place, str):
            raise ValueError(text)
        position = datetime.fromisoformat(moment)
        if position.tzinfo is None:
            raise ValueError(text)
    except (ValueError, TypeError, binascii.Error):
        raise Problem(400, "cursor_invalid", "this cursor is not one of yours; start again without it") from None
    return position, place


def read_limit(text: str | None) -> int | None:
    """Read a page size; raises a 422 problem when it is not between 1 and the most."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST):
        raise Problem(422, "limit_out_of_range", f"limit must be a whole number between 1 and {MOST}")
    return int(text)
