"""The seeds' payloads, to the letter, both ways."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.failures import Failure, FailureCode
from contracts.kinds import IMAGE, VIDEO
from contracts.legacy_webhook import LegacyFile, LegacyUpdate, WebhookRefused, read_backend_webhook, webhook_payload
from contracts.status import JobStatus, Stage
from tests.support.golden import golden

AT = datetime(2025, 10, 23, 14, 30, tzinfo=UTC)


def update(**values: Any) -> LegacyUpdate:
    base: dict[str, Any] = {
        "kind": IMAGE,
        "job_id": "cm4abc123def456ghi789",
        "user_id": "user_2abc123",
        "stage": None,
        "progress": 100,
        "at": AT,
        "environment": "development",
        "prompt": "Un chat mignon avec des lunettes de soleil",
    }
    return LegacyUpdate(**(base | values))


def test_the_seeds_completion_is_read_whole() -> None:
    report = read_backend_webhook(IMAGE, golden("e1_completed"))
    file = report.files[0]
    assert report.status == "completed"
    assert (file.filename, file.format, file.width, file.height) == ("image_1.png", "PNG", 1024, 1024)
    assert file.size_bytes == 524288
    assert report.metadata["generation_time_seconds"] == 12.5


def test_the_seeds_progress_is_read() -> None:
    reports = [read_backend_webhook(IMAGE, body) for body in golden("e2_progress")]
    assert [(report.stage, report.progress) for report in reports] == [
        (Stage.INITIALIZING, 25),
        (Stage.GENERATING, 60),
        (Stage.SAVING, 90),
    ]


def test_the_seeds_failure_is_read() -> None:
    report = read_backend_webhook(IMAGE, golden("e3_failed"))
    assert report.failure is not None
    assert report.failure.provider_words == "Erreur lors de la génération: Quota API dépassé"


def test_the_seeds_minimal_video_completion_is_read() -> None:
    report = read_backend_webhook(VIDEO, golden("e10_video_completed"))
    assert (report.files[0].format, report.files[0].content_type) == ("MP4", "video/mp4")


def test_a_completion_without_files_is_a_failure() -> None:
    report = read_backend_webhook(IMAGE, {"job_id": "a", "status": "completed", "data": {"images": []}})
    assert report.failure is not None
    assert report.failure.code is FailureCode.NO_MEDIA


def test_the_additions_the_seeds_ask_of_their_backend_are_read() -> None:
    body = golden("e1_completed") | {"user_id": "user_2abc123"}
    body["data"]["original_prompt"] = "Un chat"
    report = read_backend_webhook(IMAGE, body)
    assert (report.user_id, report.original_prompt) == ("user_2abc123", "Un chat")


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"dimensions": "axb"}, "data.images[0].dimensions", "dimensions_invalid"),
        ({"size_bytes": -1}, "data.images[0].size_bytes", "size_bytes_out_of_range"),
        ({"url": "javascript:alert(1)"}, "data.images[0].url", "url_scheme"),
        ({"file_path": "../../x"}, "data.images[0].file_path", "file_path_invalid"),
    ],
)
def test_a_wrong_file_is_named_by_its_path(change: dict[str, Any], field: str, code: str) -> None:
    body = golden("e1_completed")
    body["data"]["images"][0] |= change
    with pytest.raises(WebhookRefused) as refused:
        read_backend_webhook(IMAGE, body)
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [(field, code)]


@pytest.mark.parametrize("status", ["COMPLETED", "done", 5, None])
def test_an_unknown_status_is_refused(status: Any) -> None:
    with pytest.raises(WebhookRefused) as refused:
        read_backend_webhook(IMAGE, {"job_id": "a", "status": status})
    assert refused.value.faults[0].code == "status_unknown"


@pytest.mark.parametrize("progress", [101, -5, "60"])
def test_progress_out_of_bounds_is_refused(progress: Any) -> None:
    with pytest.raises(WebhookRefused):
        read_backend_webhook(IMAGE, {"job_id": "a", "status": "saving", "progress": progress})


def test_two_ids_in_one_payload_are_a_mismatch() -> None:
    with pytest.raises(WebhookRefused) as refused:
        read_backend_webhook(IMAGE, golden("e1_completed") | {"job_id": "other"})
    assert refused.value.mismatch


def test_our_completion_has_every_field_of_the_seeds() -> None:
    expected = golden("e1_completed")
    item = expected["data"]["images"][0]
    file = LegacyFile(item["file_path"], item["url"], item["description"], "PNG", 524288, 1024, 1024)
    payload = webhook_payload(update(status=JobStatus.COMPLETED, files=[file], metadata=expected["data"]["metadata"]))
    assert payload["user_id"] == "user_2abc123"
    assert payload["data"].pop("original_prompt") == "Un chat mignon avec des lunettes de soleil"
    del payload["user_id"]
    assert payload == expected


def test_our_progress_is_the_seeds_own() -> None:
    for expected in golden("e2_progress"):
        stage = Stage(expected["status"])
        payload = webhook_payload(update(status=JobStatus.GENERATING, stage=stage, progress=expected["progress"]))
        assert {**payload, "timestamp": None} == {**expected, "user_id": "user_2abc123", "timestamp": None}


def test_our_failure_is_the_seeds_own() -> None:
    expected = golden("e3_failed")
    failure = Failure.of(FailureCode.QUOTA, expected["error_message"])
    payload = webhook_payload(update(status=JobStatus.FAILED, failure=failure))
    assert payload == {**expected, "user_id": "user_2abc123"}


def test_a_videos_item_carries_length_rate_and_poster() -> None:
    file = LegacyFile("videos/a/video_1.mp4", "https://x/1.mp4", "d", "MP4", 9, 1280, 720, 4.0, 24, "https://x/1.jpg")
    payload = webhook_payload(update(kind=VIDEO, status=JobStatus.COMPLETED, files=[file]))
    item = payload["data"]["videos"][0]
    assert (item["duration_seconds"], item["fps"], item["thumbnail_url"]) == (4.0, 24, "https://x/1.jpg")
