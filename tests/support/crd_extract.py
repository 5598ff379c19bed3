"""Makes tests/deploy/crds.json from the operators' own CustomResourceDefinitions.

    python -m tests.support.crd_extract FOLDER_OF_CRDS

Kept are types, required fields, enumerations and bounds of the fields that the chart sets, and nothing else: another
field is refused until the extract is made anew. The definitions come with the Go modules of KEDA, CloudNativePG,
External Secrets, Gateway API and Prometheus Operator (`go mod download`), and with Strimzi's release.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.support.chart import CRDS, SWITCHES, Object, render

KEPT = ("type", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems", "oneOf")


def extract(schema: Object, seen: list[Any]) -> Object:
    """Return what the schema says of the values that were seen there."""
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    kept: Object = {name: schema[name] for name in KEPT if name in schema and name != "oneOf"}
    maps = [value for value in seen if isinstance(value, dict)]
    if "properties" in schema:
        used = {name for value in maps for name in value} | set(schema.get("required", ()))
        known = {name: part for name, part in schema["properties"].items() if name in used}
        kept["properties"] = {
            name: extract(part, [value[name] for value in maps if name in value]) for name, part in known.items()
        }
        kept["additionalProperties"] = False
        if "required" in schema:
            kept["required"] = schema["required"]
    elif isinstance(schema.get("additionalProperties"), dict):
        inner = [value for each in maps for value in each.values()]
        kept["additionalProperties"] = extract(schema["additionalProperties"], inner)
    if "items" in schema:
        kept["items"] = extract(schema["items"], [value for each in seen if isinstance(each, list) for value in each])
    return kept


def main() -> int:
    """Write the extract of every kind that the chart renders."""
    objects = [item for switch in SWITCHES.values() for item in render(switch)]
    extracts: dict[str, Object] = {}
    for path in sorted(Path(sys.argv[1]).glob("*.yaml")):
        for crd in filter(None, yaml.safe_load_all(path.read_text(encoding="utf-8"))):
            for version in crd["spec"]["versions"]:
                api_version, kind = f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"]
                seen = [item for item in objects if (item["apiVersion"], item["kind"]) == (api_version, kind)]
                if seen:
                    schema = extract(version["schema"]["openAPIV3Schema"], seen)
                    # Every object has these, and Kubernetes itself judges them.
                    schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {"type": "object"}}
                    extracts[f"{api_version} {kind}"] = schema
    CRDS.write_text(json.dumps(extracts, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{len(extracts)} kinds in {CRDS.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
