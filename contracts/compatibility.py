"""Is a new schema an addition to the old one? What a reader of the old one relied on must still be there."""

from typing import Any

Schema = dict[str, Any]


def breaks(old: Schema, new: Schema) -> list[str]:
    """Return what a reader of `old` would miss in documents of `new`, one sentence each; empty when it is additive.

    Documents of the old schema are still around (records of a topic), so the new one may not insist on more.
    """
    return answer_breaks(old, new) + _required_additions(old, new, old, new, "")


def answer_breaks(old: Schema, new: Schema) -> list[str]:
    """The same for what is made anew each time it is asked for, such as an answer over HTTP."""
    return _object_breaks(old, new, old, new, "")


def _object_breaks(old: Schema, new: Schema, old_root: Schema, new_root: Schema, path: str) -> list[str]:
    old, new = _resolved(old, old_root), _resolved(new, new_root)
    found: list[str] = []
    old_types, new_types = _types(old, old_root), _types(new, new_root)
    if old_types and not new_types <= old_types:
        found.append(f"{path or 'the event'} was {_words(old_types)} and is now {_words(new_types)}")
    if "enum" in old and not set(new.get("enum", ())) <= set(old["enum"]):
        added = sorted(set(new.get("enum", ())) - set(old["enum"]))
        found.append(f"{path} has new values {added}, which readers do not know")
    properties = new.get("properties", {})
    for name, schema in old.get("properties", {}).items():
        place = f"{path}.{name}" if path else name
        if name not in properties:
            found.append(f"{place} is gone")
            continue
        if name in old.get("required", ()) and name not in new.get("required", ()):
            found.append(f"{place} was always there and is now optional")
        found += _object_breaks(schema, properties[name], old_root, new_root, place)
    if "items" in old and "items" in new:
        found += _object_breaks(old["items"], new["items"], old_root, new_root, f"{path}[]")
    return found


def _required_additions(old: Schema, new: Schema, old_root: Schema, new_root: Schema, path: str) -> list[str]:
    # Events of the old writers are still on the topic: a new reader must not insist on what they did not write.
    old, new = _resolved(old, old_root), _resolved(new, new_root)
    known, properties = set(old.get("required", ())), new.get("properties", {})
    found: list[str] = []
    if old.get("properties"):
        added = [name for name in new.get("required", ()) if name not in known]
        found = [f"{path}.{name}".lstrip(".") + " is required of events that were written without it" for name in added]
    for name, schema in old.get("properties", {}).items():
        if name in properties:
            place = f"{path}.{name}" if path else name
            found += _required_additions(schema, properties[name], old_root, new_root, place)
    if "items" in old and "items" in new:
        found += _required_additions(old["items"], new["items"], old_root, new_root, f"{path}[]")
    return found


def _resolved(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1:
        return _resolved(options[0], root) | {"nullable": True}
    return schema


def _types(schema: Schema, root: Schema) -> set[str]:
    if "anyOf" in schema:
        return {kind for option in schema["anyOf"] for kind in _types(_resolved(option, root), root)}
    declared = schema.get("type", ())
    kinds = {declared} if isinstance(declared, str) else set(declared)
    # Every whole number is a number; readers of numbers take both.
    if "number" in kinds:
        kinds |= {"integer"}
    return kinds | ({"null"} if schema.get("nullable") else set())


def _words(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds)) or "anything"
