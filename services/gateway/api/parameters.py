"""What the OpenAPI document says of query parameters, made from the model that reads them."""

from typing import Any

from services.runtime.bodies import Query


def parameters_of(model: type[Query]) -> list[dict[str, Any]]:
    """Describe every query parameter of a model."""
    schema = model.model_json_schema()
    return [_parameter(name, described) for name, described in schema.get("properties", {}).items()]


def _parameter(name: str, described: dict[str, Any]) -> dict[str, Any]:
    given = next((way for way in described.get("anyOf", ()) if way.get("type") != "null"), None)
    schema = dict(given or described)
    description = described.get("description") or schema.pop("description", "")
    for unsaid in ("title", "description", "default"):
        schema.pop(unsaid, None)
    parameter = {"name": name, "in": "query", "description": description, "schema": schema}
    return {key: value for key, value in parameter.items() if value}
