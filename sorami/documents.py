"""The committed documents, made from the code: a JSON Schema an event, OpenAPI 3.1 and AsyncAPI 3.0."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI
from pydantic import SecretStr

from contracts.events import EVENTS, Event, event_type
from contracts.topics import TOPICS
from services.gateway.app import VERSION, build_api
from services.gateway.parts import Parts
from services.gateway.settings import GatewaySettings
from services.runtime.consumer import Route
from services.runtime.setting_names import NAMES, PREFIX
from services.runtime.signed_urls import UrlSigner

FOLDER = Path(__file__).parent.parent / "contracts" / "schemas"
RELEASED = FOLDER / "released"
METRICS = Path(__file__).parent.parent / "docs" / "operating" / "metrics.md"
OF_THE_LAUNCHER = frozenset(
    {
        "SORAMI_HOME",
        "SORAMI_MAVEN_MIRROR",
        "SORAMI_KAFKA_JARS",
        "SORAMI_TOPIC_REPLICATION",
        *(f"SORAMI_{service}_DATABASE_URL" for service in ("GATEWAY", "GENERATOR", "PERSISTENCE", "NOTIFIER")),
    }
)
"""Read by the launcher or by commands, not by a service's settings class."""
_HEADERS = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "content-type"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {
            "type": "string",
            "description": "Made from job, type, fence and step: the same twice is the same event.",
        },
        "ce_source": {"type": "string", "examples": ["/sorami/generator"]},
        "ce_type": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": {"type": "string", "description": "The job's id."},
        "ce_dataschema": {"type": "string"},
        "content-type": {"const": "application/json"},
        "traceparent": {"type": "string", "description": "W3C trace context, when the request carried one."},
    },
}


def schema_name(event: type[Event]) -> str:
    return f"{event.TOPIC.name}.v{event.VERSION}.json"


def event_schema(event: type[Event]) -> dict[str, Any]:
    """Return the JSON Schema of an event as it is written."""
    schema = event.model_json_schema(mode="serialization")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:sorami:schema:{event.TOPIC.name}.v{event.VERSION}",
    }
    return head | schema


def notifier_openapi() -> dict[str, Any]:
    """Return the OpenAPI document of what the notifier serves beside the gateway."""
    from services.notifier.app import build_api as build_notifier
    from services.notifier.parts import Parts as NotifierParts
    from services.notifier.settings import NotifierSettings

    nothing = cast(Any, None)
    settings = NotifierSettings(database_url=SecretStr("postgresql://nowhere"))
    fields = dict.fromkeys(NotifierParts.__slots__, nothing) | {"settings": settings}
    return build_notifier(NotifierParts(**fields)).openapi()


def openapi(notifiers: Callable[[], dict[str, Any]] = notifier_openapi) -> dict[str, Any]:
    """Return the published OpenAPI document: the gateway's, with the notifier's routes."""
    return gateway_api(notifiers).openapi()


def gateway_api(notifiers: Callable[[], dict[str, Any]] = notifier_openapi) -> FastAPI:
    """Return the gateway's routes, behind which there is nothing."""
    settings = GatewaySettings(database_url=SecretStr("postgresql://nowhere"))
    nothing = cast(Any, None)
    parts = Parts(
        settings=settings,
        pool=nothing,
        identities=nothing,
        verifier=nothing,
        request_generation=nothing,
        request_batch=nothing,
        retry_job=nothing,
        cancel_jobs=nothing,
        await_jobs=nothing,
        estimate_wait=nothing,
        accept_backend_webhook=nothing,
        hear_provider=nothing,
        look_at_health=nothing,
        settle_dead_letters=nothing,
        settle_orphan=nothing,
        search_prompts=nothing,
        shares=nothing,
        signer=UrlSigner(settings, lambda: nothing),
        streams=nothing,
        checks={},
        media=nothing,
        watch_providers=nothing,
    )
    return build_api(parts, notifiers)


class _Listing:
    """Notes what a service subscribes to, instead of consuming it."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def batches(self, *routes: Route) -> None:
        self.routes += routes

    stream = batches


def subscriptions() -> dict[str, list[Route]]:
    """Return what each service hears, by service."""
    from services.generator import handlers as generator
    from services.notifier import handlers as notifier
    from services.persistence import handlers as persistence

    found: dict[str, list[Route]] = {}
    for name, module in (("generator", generator), ("persistence", persistence), ("notifier", notifier)):
        listing = _Listing()
        cast(Any, module).subscribe(listing, None)
        found[name] = listing.routes
    return found


def _identifier(topic: str) -> str:
    return topic.replace(".", "_").replace("-", "_")


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI document: every topic, what it carries, who sends and who receives."""
    operations: dict[str, Any] = {}
    for topic in TOPICS:
        for service in topic.sent_by:
            operations[f"{service}_sends_{_identifier(topic.name)}"] = _operation("send", topic.name, None)
    for service, routes in subscriptions().items():
        for route in routes:
            for name in route.topics:
                operations[f"{service}_{route.handle.__name__}_{_identifier(name)}"] = _operation(
                    "receive", name, route.handle.__doc__
                )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Sorami events",
            "version": VERSION,
            "description": "CloudEvents 1.0 in Kafka's binary mode. Readers ignore unknown fields; changes only add.",
        },
        "defaultContentType": "application/json",
        "channels": {_identifier(event.TOPIC.name): _channel(event) for event in EVENTS},
        "operations": operations,
        "components": {
            "messages": {_identifier(event.TOPIC.name): _message(event) for event in EVENTS},
            "schemas": {"headers": _HEADERS},
        },
    }


def _channel(event: type[Event]) -> dict[str, Any]:
    topic = event.TOPIC
    return {
        "address": topic.name,
        "description": event.__doc__,
        "messages": {event.__name__: {"$ref": f"#/components/messages/{_identifier(topic.name)}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": topic.retention_ms},
            }
        },
    }


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event_type(event),
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": {"$ref": f"./{schema_name(event)}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": f"The {event.TOPIC.key}."}}},
    }


def _operation(action: str, topic: str, summary: str | None) -> dict[str, Any]:
    operation: dict[str, Any] = {"action": action, "channel": {"$ref": f"#/channels/{_identifier(topic)}"}}
    return operation | ({"summary": summary} if summary else {})


def documents() -> dict[str, str]:
    """Return every committed document by its file name."""
    made: dict[str, Any] = {schema_name(event): event_schema(event) for event in EVENTS}
    made |= {"notifier.openapi.json": notifier_openapi(), "openapi.json": openapi(), "asyncapi.json": asyncapi()}
    return {name: json.dumps(made[name], indent=2, ensure_ascii=False, sort_keys=True) + "\n" for name in made}


def setting_names() -> str:
    """Return every name that begins as ours do and that a service, the launcher or a command reads, one a line."""
    from sorami.chart_documents import CLASSES

    fields = [field for classes in CLASSES.values() for one in classes for field in one.model_fields.values()]
    read = {str(field.validation_alias) for field in fields if str(field.validation_alias).startswith(PREFIX)}
    return "".join(f"{name}\n" for name in sorted(read | OF_THE_LAUNCHER))


def main() -> int:
    """Write the documents; with `--release` also note them as what readers rely on from now on."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    if "--release" in sys.argv:
        RELEASED.mkdir(exist_ok=True)
        for event in EVENTS:
            (RELEASED / schema_name(event)).write_text(documents()[schema_name(event)], encoding="utf-8")
        (RELEASED / "openapi.json").write_text(documents()["openapi.json"], encoding="utf-8")
    print(f"{len(documents())} documents in {FOLDER.name}/")
    NAMES.write_text(setting_names(), encoding="utf-8")
    from sorami.chart_documents import write_chart_documents
    from sorami.metrics_document import metrics_document

    write_chart_documents()
    if METRICS.parent.exists():
        METRICS.write_text(metrics_document(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
