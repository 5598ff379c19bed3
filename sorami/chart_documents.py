"""What the Helm chart says of settings, topics and its own values, made from the code and from values.yaml."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings

from contracts.topics import all_topics
from services.gateway.settings import GatewaySettings, OfferSettings
from services.generator.settings import GeneratorSettings
from services.notifier.settings import NotifierSettings
from services.persistence.settings import PersistenceSettings
from sorami.dashboard_document import dashboard
from sorami.documents import subscriptions

DEPLOY = Path(__file__).parent.parent / "deploy"
CHART = DEPLOY / "helm" / "sorami"
OBSERVABILITY = DEPLOY / "observability"
CLASSES: dict[str, tuple[type[BaseSettings], ...]] = {
    "gateway": (GatewaySettings, OfferSettings),
    "generator": (GeneratorSettings,),
    "persistence": (PersistenceSettings,),
    "notifier": (NotifierSettings,),
}
# What the chart's other values decide.
DECIDED = re.compile(
    r"DATABASE_URL|KAFKA_.*|S3_.*|AWS_.*|ENVIRONMENT|SORAMI_(PUBLIC_URL|HOST|PORT|INTERNAL_HOST|TOPIC_PREFIX|NOTIFIER_URL"
    r"|(GATEWAY|NOTIFIER|GENERATOR|PERSISTENCE)_(INTERNAL_PORT|HOST|PORT)|COMFYUI_WORKFLOWS|MODERATION_WORDS"
    r"|GENERATOR_PROVIDERS|RENDER_PROCESSES|LINGER_SECONDS)"
)
BEGIN, END = "<!-- values: begin -->", "<!-- values: end -->"


def settings_by_name() -> dict[str, tuple[bool, list[str]]]:
    """Return the settings that an operator chooses: whether each is a secret, and which services read it."""
    found: dict[str, tuple[bool, list[str]]] = {}
    for service, classes in CLASSES.items():
        for field in (field for settings in classes for field in settings.model_fields.values()):
            name = field.validation_alias
            if isinstance(name, str) and not DECIDED.fullmatch(name):
                secret = "SecretStr" in repr(field.annotation) + repr(field.metadata)
                services = found.setdefault(name, (secret, []))[1]
                if service not in services:
                    services.append(service)
    return dict(sorted(found.items()))


def settings_file() -> str:
    """Return which services read each secret setting, as YAML."""
    lines = [f"{name}: [{', '.join(readers)}]" for name, (secret, readers) in settings_by_name().items() if secret]
    return "\n".join(["# Made by `make contracts`: who reads each secret setting.", *lines, ""])


def topics_file() -> str:
    """Return the topics as the code declares them, and who hears them in a group, as YAML."""
    lines = ["# Made by `make contracts`.", "topics:"]
    lines += [
        f"  - {{name: {topic.name}, partitions: {topic.partitions}, retentionMs: {topic.retention_ms}}}"
        for topic in all_topics()
    ]
    lines.append("heard:")
    for service, routes in subscriptions().items():
        names = sorted({name for route in routes for name in route.topics})
        lines.append(f"  {service}: [{', '.join(names)}]")
    return "\n".join([*lines, ""])


def schema_file(committed: str) -> str:
    """Return the values' schema with the names of today's settings."""
    schema = json.loads(committed)
    names = settings_by_name()
    for place, secrets in (("settings", False), ("secretSettings", True)):
        chosen = [name for name, (secret, _) in names.items() if secret == secrets]
        schema["properties"][place]["properties"] = {name: {"$ref": f"#/$defs/{place}"} for name in chosen}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def readme_file(committed: str, values: str) -> str:
    """Return the chart's README with a row for each value."""
    rows = ["| value | default | meaning |", "|---|---|---|"]
    rows += [f"| `{path}` | {default} | {text} |" for path, default, text in described_values(values)]
    head, _, rest = committed.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n" + "\n".join(rows) + f"\n{END}{tail}"


def described_values(values: str) -> Iterator[tuple[str, str, str]]:
    """Read path, default and meaning of each value that a `# --` comment describes."""
    import yaml

    defaults: dict[str, Any] = yaml.safe_load(values)
    path: list[str] = []
    meaning: str | None = None
    for line in values.splitlines():
        if comment := re.match(r"\s*# -- (.*)", line):
            meaning = comment[1].replace("|", "\\|")
        elif key := re.match(r"( *)([A-Za-z0-9]+):", line):
            depth = len(key[1]) // 2
            if depth > len(path):
                continue
            path = [*path[:depth], key[2]]
            if meaning is not None:
                yield ".".join(path), _shown(defaults, path), meaning
            meaning = None


def _shown(defaults: Any, path: list[str]) -> str:
    for part in path:
        defaults = defaults[part]
    return f"`{json.dumps(defaults, ensure_ascii=False)}`"


def observability_files() -> dict[str, str]:
    """Return the dashboard and the rules as the chart packs them."""
    return {
        "files/dashboard.json": dashboard((OBSERVABILITY / "dashboard.yaml").read_text(encoding="utf-8")),
        "files/rules.yaml": (OBSERVABILITY / "rules.yaml").read_text(encoding="utf-8"),
    }


def chart_documents() -> dict[str, str]:
    """Return every file of the chart that is made, by its path within the chart."""
    read = {
        name: (CHART / name).read_text(encoding="utf-8") for name in ("values.yaml", "values.schema.json", "README.md")
    }
    return {
        "files/settings.yaml": settings_file(),
        "files/topics.yaml": topics_file(),
        "values.schema.json": schema_file(read["values.schema.json"]),
        "README.md": readme_file(read["README.md"], read["values.yaml"]),
        **observability_files(),
    }


def write_chart_documents() -> None:
    """Write them where the chart is: not in an installed package."""
    if CHART.exists():
        for name, text in chart_documents().items():
            (CHART / name).write_text(text, encoding="utf-8")
        print(f"{len(chart_documents())} files in {CHART.name}/ of the chart")
