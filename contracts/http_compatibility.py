"""Is a new OpenAPI document an addition to the old one? What a client of the old one sent and read must still work."""

from collections.abc import Iterator
from typing import Any

from contracts.compatibility import answer_breaks

Document = dict[str, Any]
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


def document_breaks(old: Document, new: Document) -> list[str]:
    """Return what a client of `old` would trip over, one sentence each; empty when the new document only adds."""
    found: list[str] = []
    for place, before in _operations(old):
        method, path = place
        after = new["paths"].get(path, {}).get(method)
        if after is None:
            found.append(f"{method.upper()} {path} is gone")
            continue
        where = f"{method.upper()} {path}"
        found += [f"{where}: {said}" for said in _request_breaks(before, after, old, new)]
        found += [f"{where}: {said}" for said in _answer_breaks(before, after, old, new)]
    return found


def _operations(document: Document) -> Iterator[tuple[tuple[str, str], Document]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield (method, path), item[method]


def _request_breaks(before: Document, after: Document, old: Document, new: Document) -> list[str]:
    known = {(one["in"], one["name"]): one for one in before.get("parameters", ())}
    now = {(one["in"], one["name"]): one for one in after.get("parameters", ())}
    found = [f"the parameter {name} is gone" for place, name in known if (place, name) not in now]
    for key, parameter in now.items():
        if parameter.get("required") and not known.get(key, {}).get("required"):
            found.append(f"the parameter {key[1]} is now required")
    if "requestBody" not in after:
        return found
    if "requestBody" not in before:
        return [*found, "a body is now required"] if after["requestBody"].get("required") else found
    return found + _body_breaks(_body(before["requestBody"], old), _body(after["requestBody"], new), old, new)


def _body_breaks(before: Document, after: Document, old: Document, new: Document) -> list[str]:
    """A body may gain optional fields and values; it may not lose a field, a value or its being optional."""
    found = []
    properties = after.get("properties", {})
    for name, schema in before.get("properties", {}).items():
        if name not in properties:
            found.append(f"the field {name} is gone")
            continue
        values = set(_resolved(schema, old).get("enum", ()))
        if lost := values - set(_resolved(properties[name], new).get("enum", values)):
            found.append(f"the field {name} takes no longer {sorted(lost)}")
    required = set(after.get("required", ())) - set(before.get("required", ()))
    return found + [f"the field {name} is now required" for name in sorted(required)]


def _answer_breaks(before: Document, after: Document, old: Document, new: Document) -> list[str]:
    found = []
    for status, answer in before.get("responses", {}).items():
        if not status.startswith("2"):
            continue
        if status not in after.get("responses", {}):
            found.append(f"the answer {status} is gone")
            continue
        schema, now = _body(answer, old), _body(after["responses"][status], new)
        if schema and now:
            found += answer_breaks(_with_definitions(schema, old), _with_definitions(now, new))
    return found


def _body(holder: Document, root: Document) -> Document:
    schema = holder.get("content", {}).get("application/json", {}).get("schema", {})
    return _resolved(schema, root)


def _resolved(schema: Document, root: Document) -> Document:
    while "$ref" in schema:
        found = root if schema["$ref"].startswith("#/") else {}
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found.get(step, {})
        schema = found
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    return _resolved(options[0], root) if len(options) == 1 else schema


def _with_definitions(schema: Document, root: Document) -> Document:
    return {"$defs": root.get("components", {}).get("schemas", {})} | schema
