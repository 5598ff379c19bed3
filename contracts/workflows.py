"""ComfyUI's workflows as models: a graph in its API format with our fields in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.kinds import KINDS
from contracts.request_templates import check_template


@dataclass(frozen=True, slots=True)
class Workflow:
    """A graph in ComfyUI's API format with `{{fields}}`, and the kind it makes."""

    kind: str
    graph: dict[str, Any]


def read_workflows(contents: Mapping[str, Any]) -> dict[str, Workflow]:
    """Read the JSON of each model: a graph, or `{"kind": "video", "graph": {…}}`; raises ValueError."""
    workflows = {}
    for name, content in contents.items():
        try:
            workflows[name] = _workflow(content)
        except ValueError as error:
            raise ValueError(f"{name}.json: {error}") from None
    return workflows


def _workflow(content: Any) -> Workflow:
    is_wrapped = isinstance(content, dict) and "graph" in content
    graph = content["graph"] if is_wrapped else content
    if not isinstance(graph, dict) or not all(_is_node(node) for node in graph.values()):
        raise ValueError("no workflow in API format; export it with `Save (API format)`")
    kind = content.get("kind", "image") if is_wrapped else "image"
    if kind not in KINDS:
        raise ValueError(f"the kind must be one of {', '.join(KINDS)}")
    return Workflow(kind, check_template(graph))


def _is_node(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("class_type"), str)
