"""Templates of requests: JSON in which `{{name}}` stands for a field of the order."""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

Template = TypeVar("Template")
_FIELD: Final = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
FIELDS: Final = frozenset(
    {
        "prompt",
        "model",
        "width",
        "height",
        "size",
        "count",
        "seed",
        "format",
        "quality",
        "style",
        "duration_seconds",
        "fps",
        "input_image",
        "job_id",
    }
)
"""`format` is in small letters; `input_image` is what the provider takes: a file's name, an address or a data URL."""


def fields_in(template: Any) -> set[str]:
    """Return the names of the fields a template uses."""
    if isinstance(template, str):
        return set(_FIELD.findall(template))
    items = template.values() if isinstance(template, dict) else template if isinstance(template, list) else ()
    return {name for item in items for name in fields_in(item)}


def check_template(template: Template) -> Template:
    """Return the template; raises ValueError when it uses a field nobody fills in."""
    if unknown := sorted(fields_in(template) - FIELDS):
        raise ValueError(f"the template uses fields that do not exist: {', '.join(unknown)}")
    return template


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """Return the template with its fields filled in.

    A string that is one field becomes its value, number or text; an entry whose value is None is left out.
    """
    if isinstance(template, str):
        whole = _FIELD.fullmatch(template.strip())
        if whole:
            return values.get(whole[1])
        return _FIELD.sub(lambda found: _as_text(values.get(found[1])), template)
    if isinstance(template, dict):
        filled = {name: fill(item, values) for name, item in template.items()}
        return {name: item for name, item in filled.items() if item is not None or template[name] is None}
    if isinstance(template, list):
        return [value for item in template if (value := fill(item, values)) is not None]
    return template


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)
