"""Events survive the wire, and whatever is no event is refused with a reason."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.cloudevents import NotAnEvent, read_event, to_record
from contracts.events import JobCompleted, JobProgressed, JobRequested
from contracts.ids import new_id
from contracts.status import Stage


def requested(**values: Any) -> JobRequested:
    return JobRequested(
        job_id=new_id(),
        kind="image",
        at=datetime.now(UTC),
        user_id="u",
        prompt="Un chat 🐈",
        count=1,
        size="1024x1024",
        format="PNG",
        **values,
    )


def progressed(**values: Any) -> JobProgressed:
    base = {"job_id": "j1", "kind": "image", "at": datetime.now(UTC), "stage": Stage.GENERATING, "progress": 60}
    return JobProgressed(**(base | values))


def read(topic: str, value: bytes | None, key: bytes | None = b"j1", headers: dict[str, str] | None = None) -> str:
    with pytest.raises(NotAnEvent) as refused:
        read_event(topic, key, value, headers or {})
    return refused.value.reason


def test_an_event_is_read_as_it_was_written() -> None:
    event = requested(options={"seed": 7})
    record = to_record(event, service="gateway", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    assert read_event(record.topic, record.key.encode(), record.value, record.headers) == event


def test_a_record_is_a_cloudevent_in_binary_mode() -> None:
    event = requested()
    headers = to_record(event, service="gateway").headers
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_type"] == "io.sorami.job.requested.v1"
    assert headers["ce_source"] == "/sorami/gateway"
    assert headers["ce_subject"] == event.job_id
    assert headers["content-type"] == "application/json"


def test_reporting_again_is_the_same_event() -> None:
    first = to_record(progressed(fence=2, report_step=1), service="generator")
    again = to_record(progressed(fence=2, report_step=1), service="generator")
    other = to_record(progressed(fence=3, report_step=1), service="generator")
    assert first.headers["ce_id"] == again.headers["ce_id"] != other.headers["ce_id"]


def test_unknown_fields_are_ignored_by_readers() -> None:
    record = to_record(progressed(), service="generator")
    value = record.value.replace(b'{"job_id"', b'{"colour":"blue","job_id"')
    assert read_event(record.topic, b"j1", value, record.headers) == read_event(
        record.topic, b"j1", record.value, record.headers
    )


@pytest.mark.parametrize("value", [b"", None, b"not json", b"\x1f\x8b\x08", '{"a":1}'.encode("utf-16"), b"[" * 100_000])
def test_what_is_not_json_is_a_decode_error(value: bytes | None) -> None:
    assert read("job.progress", value) == "decode_error"


@pytest.mark.parametrize(
    "change",
    [
        {"progress": 101},
        {"progress": -1},
        {"progress": "NaN"},
        {"stage": "thinking"},
        {"job_id": None},
        {"job_id": "../x"},
        {"at": "2025-10-23T14:30:00"},
        {"fence": 2**63},
    ],
)
def test_a_field_out_of_bounds_is_a_schema_error(change: dict[str, Any]) -> None:
    import json

    body = json.loads(progressed().model_dump_json()) | change
    assert read("job.progress", json.dumps(body).encode()) == "schema_error"


def test_a_nul_is_a_text_error() -> None:
    value = progressed().model_dump_json().replace('"message":null', '"message":"a\\u0000"')
    assert read("job.progress", value.encode()) == "text_invalid"


def test_a_foreign_key_is_refused() -> None:
    assert read("job.progress", progressed().model_dump_json().encode(), key=b"other") == "key_mismatch"


def test_another_type_and_another_version_are_told_apart() -> None:
    value = progressed().model_dump_json().encode()
    assert read("job.progress", value, headers={"ce_type": "io.sorami.job.progress.v9"}) == "schema_unsupported"
    assert read("job.progress", value, headers={"ce_type": "io.sorami.job.failed.v1"}) == "type_unknown"


def test_a_topic_of_nobody_is_refused() -> None:
    assert read("job.imagined", b"{}") == "topic_unknown"


def test_zero_files_are_never_a_completion() -> None:
    value = b'{"job_id":"j1","kind":"image","at":"2025-10-23T14:30:00Z","files":[]}'
    assert read("job.completed", value) == "schema_error"
    assert JobCompleted.model_fields["files"].is_required()
