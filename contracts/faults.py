"""What is wrong with something a client sent: which field, a stable code, and what to do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request: which field, a stable code, and what to do."""

    field: str
    code: str
    detail: str


class RequestRefused(Exception):
    """A request with at least one fault."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults[0].detail)
        self.faults = faults


def fault(code: str, detail: str) -> PydanticCustomError:
    """Build what a validator raises: the code and the sentence of a Fault."""
    # Braces would be read as placeholders of a template.
    return PydanticCustomError(code, detail.replace("{", "(").replace("}", ")"))


def faults_of(error: ValidationError, what: str, bounds: Callable[[str], str | None] = lambda _: None) -> list[Fault]:
    """Say what is wrong with `what`, e.g. "a request for images"; `bounds` words the range of a field."""
    return [_as_fault(item, what, bounds) for item in error.errors(include_url=False)]


_TYPE_FAULTS = {
    "int_type": ("not_an_integer", "{field} must be a whole number"),
    "int_from_float": ("not_an_integer", "{field} must be a whole number"),
    "int_parsing": ("not_an_integer", "{field} must be a whole number"),
    "float_type": ("not_a_number", "{field} must be a number"),
    "float_parsing": ("not_a_number", "{field} must be a number"),
    "finite_number": ("not_a_number", "{field} must be a number"),
    "string_type": ("not_a_string", "{field} must be a string"),
    "string_unicode": ("{field}_not_unicode", "{field} holds half of a surrogate pair"),
    "bool_type": ("not_a_boolean", "{field} must be true or false"),
    "bool_parsing": ("not_a_boolean", "{field} must be true or false"),
    "list_type": ("not_a_list", "{field} must be a list"),
    "dict_type": ("not_an_object", "{field} must be an object"),
    "model_type": ("not_an_object", "{field} must be an object"),
    "missing": ("{field}_required", "{field} is missing"),
    "string_too_long": ("{field}_too_long", "{field} is longer than {max_length} characters"),
    "string_too_short": ("{field}_empty", "{field} is empty"),
    "too_long": ("{field}_too_long", "{field} has more than {max_length} items"),
    "too_short": ("{field}_empty", "{field} needs at least {min_length} items"),
    "literal_error": ("{field}_unsupported", "{field} must be one of {expected}"),
    "enum": ("{field}_unsupported", "{field} must be one of {expected}"),
}
_RANGES = {
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
    "less_than": "below {lt:g}",
    "greater_than": "above {gt:g}",
}


def _as_fault(item: Any, what: str, bounds: Callable[[str], str | None]) -> Fault:
    path = ".".join(str(part) for part in item["loc"])[:100] or "body"
    field = next((str(part) for part in reversed(item["loc"]) if isinstance(part, str)), "body")[:64]
    code, context = item["type"], item.get("ctx") or {}
    if code == "extra_forbidden":
        return Fault(path, "unknown_field", f"there is no field {field!r} in {what}")
    if code in _TYPE_FAULTS:
        named, detail = _TYPE_FAULTS[code]
        return Fault(path, named.format(field=field), detail.format(field=field, **context))
    if code in _RANGES:
        allowed = bounds(field) or _RANGES[code].format(**context)
        return Fault(path, f"{field}_out_of_range", f"{field} must be {allowed}")
    if isinstance(item["type"], str) and item["type"] in _PYDANTIC_OWN:
        return Fault(path, f"{field}_invalid", f"{field} is not valid")
    return Fault(path, code, item["msg"])


# Faults of pydantic whose own words would say nothing to a client.
_PYDANTIC_OWN = frozenset(
    {
        "value_error",
        "assertion_error",
        "string_pattern_mismatch",
        "datetime_parsing",
        "datetime_from_date_parsing",
        "datetime_type",
        "timezone_aware",
        "date_parsing",
        "date_from_datetime_parsing",
        "union_tag_invalid",
        "union_tag_not_found",
        "is_instance_of",
    }
)
