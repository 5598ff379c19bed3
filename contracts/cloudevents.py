"""Events as CloudEvents 1.0 in Kafka's binary mode: attributes in `ce_` headers, the event itself as the value."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from contracts.events import EVENT_OF_TOPIC, Event, as_utc, event_id, event_type


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it goes to Kafka; the topic has no prefix yet."""

    topic: str
    key: str
    value: bytes
    headers: dict[str, str]


class NotAnEvent(Exception):
    """A record that no reader can take; `reason` is a stable code, `detail` says where it is wrong."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def to_record(event: Event, *, service: str, traceparent: str | None = None) -> Record:
    """Turn an event of a service into the record that carries it."""
    kind_of_event = type(event)
    name = event.TOPIC.name
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event_id(event),
        "ce_source": f"/sorami/{service}",
        "ce_type": event_type(kind_of_event),
        "ce_time": as_utc(event.at),
        "ce_subject": event.job_id,
        "ce_dataschema": f"urn:sorami:schema:{name}.v{event.VERSION}",
        "content-type": "application/json",
    }
    if traceparent:
        headers["traceparent"] = traceparent
    return Record(name, event.key, event.model_dump_json(exclude_none=True).encode(), headers)


def read_event(topic: str, key: bytes | None, value: bytes | None, headers: Mapping[str, str]) -> Event:
    """Read a record of a topic (named without prefix); raises NotAnEvent with the reason a dead letter keeps."""
    model = EVENT_OF_TOPIC.get(topic)
    if model is None:
        raise NotAnEvent("topic_unknown", f"no event is published on {topic}")
    if not value:
        raise NotAnEvent("decode_error", "the value is empty; no topic of ours is compacted")
    _check_type(model, headers)
    try:
        event = model.model_validate_json(value)
    except ValidationError as error:
        raise _refused(error) from None
    if key is not None and key != event.key.encode():
        raise NotAnEvent("key_mismatch", f"the record's key is not the {model.TOPIC.key} of the event")
    return event


class ReceivedRecord(Protocol):
    """What a record must show to be read."""

    @property
    def topic(self) -> str: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


def judge(record: ReceivedRecord) -> Event | NotAnEvent:
    """Read a record, or return why it cannot be read."""
    try:
        return read_event(record.topic, record.key, record.value, record.headers)
    except NotAnEvent as refusal:
        return refusal


def _check_type(model: type[Event], headers: Mapping[str, str]) -> None:
    declared, expected = headers.get("ce_type"), event_type(model)
    if declared is None or declared == expected:
        return
    if declared.rpartition(".v")[0] == expected.rpartition(".v")[0]:
        raise NotAnEvent("schema_unsupported", f"ce_type is {declared[:100]}, this reader knows {expected}")
    raise NotAnEvent("type_unknown", f"ce_type is {declared[:100]}, this topic carries {expected}")


def _refused(error: ValidationError) -> NotAnEvent:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return NotAnEvent("decode_error", "the value is not JSON in UTF-8")
    path = ".".join(str(part) for part in first["loc"]) or "(the whole value)"
    reason = "text_invalid" if "NUL" in first["msg"] else "schema_error"
    return NotAnEvent(reason, f"{path}: {first['msg']}")


def outbox_headers(headers: Mapping[str, str]) -> str:
    """Encode headers for the outbox's jsonb column."""
    return json.dumps(headers, ensure_ascii=False, separators=(",", ":"))
