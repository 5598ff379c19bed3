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
        for status in statuses
    }


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """Describe a required JSON body by its model."""
    schema = model.model_json_schema(mode="validation")
    return {"required": True, "content": {"application/json": {"schema": schema}}}
