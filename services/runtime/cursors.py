"""Opaque cursors of keyset pages: a position in one person's own list."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from services.runtime.problems import Problem

MOST = 200
DEFAULT = 50

Item = TypeVar("Item")


def _owner_mark(owner_id: str) -> str:
    return hashlib.sha256(owner_id.encode()).hexdigest()[:12]


def write_cursor(owner_id: str, *position: Any) -> str:
    """Return the cursor after an item whose place in the order is `position`; moments become texts."""
    values = [part.isoformat() if isinstance(part, datetime) else part for part in position]
    return base64.urlsafe_b64encode(json.dumps([*values, _owner_mark(owner_id)]).encode()).decode().rstrip("=")


def cut_page(
    found: Sequence[Item], most: int, owner_id: str, place: Callable[[Item], tuple[Any, ...]]
) -> tuple[Sequence[Item], str | None]:
    """Return the first `most` of what was found and, where one more was, the cursor after them."""
    shown = found[:most]
    return shown, write_cursor(owner_id, *place(shown[-1])) if len(found) > most else None


def read_cursor(text: str | None, owner_id: str, *shape: type) -> tuple[Any, ...] | None:
    """Read a cursor of this owner whose parts have these types; raises a 400 problem for any other text."""
    if text is None:
        return None
    try:
        *position, mark = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if mark != _owner_mark(owner_id) or len(position) != len(shape):
            raise ValueError(text)
        return tuple(_as(kind, part) for kind, part in zip(shape, position, strict=True))
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        raise Problem(400, "cursor_invalid", "this cursor is not one of yours; start again without it") from None


def _as(kind: type, part: Any) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(part)
        if moment.tzinfo is None:
            raise ValueError(part)
        return moment
    if type(part) is not kind or (kind is str and "\x00" in str(part)):
        raise ValueError(part)
    return part


def read_limit(text: str | None) -> int | None:
    """Read a page size; raises a 422 problem when it is not between 1 and the most."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST):
        raise Problem(422, "limit_out_of_range", f"limit must be a whole number between 1 and {MOST}")
    return int(text)
