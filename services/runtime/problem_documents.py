"""What an OpenAPI document says of bodies and of answers that are problems."""

from typing import Any

from pydantic import BaseModel


class ProblemDocument(BaseModel):
    """An RFC 9457 problem with a stable code."""

    type: str
    title: str
    status: int
    code: str
    detail: str


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problem documents a route may answer with."""
    schema = ProblemDocument.model_json_schema()
    return {
        status: {
            "description": "A problem document",
            "content": {"application/problem+json": {"schema": schema}},
        }
        # Whoever reads a body may wait for it in vain.
        for status in (*statuses, *((408,) if 413 in statuses else ()))
    }


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """Describe a required JSON body by its model."""
    schema = model.model_json_schema(mode="validation")
    return {"required": True, "content": {"application/json": {"schema": _whole(schema, schema.pop("$defs", {}))}}}


def _whole(part: Any, definitions: dict[str, Any]) -> Any:
    """Put definitions where they are named: inside the document "#/$defs/…" would point at nothing."""
    if isinstance(part, list):
        return [_whole(item, definitions) for item in part]
    if not isinstance(part, dict):
        return part
    named = part.get("$ref")
    if isinstance(named, str) and named.startswith("#/$defs/"):
        rest = {name: value for name, value in part.items() if name != "$ref"}
        return _whole(definitions[named.removeprefix("#/$defs/")] | rest, definitions)
    return {name: _whole(value, definitions) for name, value in part.items()}
