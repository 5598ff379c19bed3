"""JSON without surprises: UTF-8 only, no duplicate keys, no NaN or infinity, no lone surrogates, bounded nesting."""

import json
from typing import Any


class JsonRefused(Exception):
    """The text is not JSON we take; `code` is stable and `detail` is fit for a person."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonRefused("json_duplicate_key", "the body names a key twice; name each key once")
    return found


def _no_constant(name: str) -> Any:
    raise JsonRefused("json_invalid", f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise JsonRefused("json_invalid", "a number is too large")
    return number


def parse_json(body: bytes) -> Any:
    """Parse a body; raises JsonRefused."""
    try:
        return json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
    except UnicodeDecodeError:
        raise JsonRefused("json_invalid", "the body is not UTF-8") from None
    except RecursionError:
        raise JsonRefused("json_invalid", "the body is nested too deeply") from None
    except ValueError as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise JsonRefused("json_invalid", f"the body is not valid JSON{where}") from None


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a body that must be an object; raises JsonRefused."""
    if not body.strip():
        raise JsonRefused("body_not_object", "the body is empty; send a JSON object")
    value = parse_json(body)
    if not isinstance(value, dict):
        raise JsonRefused("body_not_object", "the body must be a JSON object")
    return value
