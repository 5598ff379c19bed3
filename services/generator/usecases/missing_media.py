"""How a finished job says that fewer media came than were asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.failures import Failure


def with_missing(about: Mapping[str, Any], asked: int, made: int, missing: Sequence[Failure]) -> dict[str, Any]:
    """Return a job's metadata with `partial`: what was asked, what was made, and why each of the others is missing."""
    if not missing:
        return dict(about)
    before = about.get("partial", {})
    lost = [_missing(failure) for failure in missing]
    partial = {"asked": before.get("asked", asked), "made": made, "missing": [*before.get("missing", []), *lost]}
    return {**about, "partial": partial}


def _missing(failure: Failure) -> dict[str, Any]:
    told = {"code": failure.code.value, "words": failure.message, "count": 1}
    if failure.filtered is None:
        return told
    return told | {"filtered": failure.filtered.as_partial().model_dump(mode="json")}
