"""Veo: what it films, and a download that wants the key."""

from pathlib import Path

import pytest

from contracts.failures import FailureCode
from tests.support.providers.fake import KEY
from tests.unit.generator.providers.conftest import Open


async def test_the_request_has_ratio_resolution_length_and_the_first_frame(stage: Open, tmp_path: Path) -> None:
    opened = await stage("veo")
    source = tmp_path / "input.png"
    source.write_bytes(b"png")

    await opened.drive(
        width=1080, height=1920, duration_seconds=7.5, input_image=source, wake_url="https://sorami.example/w/1"
    )

    body = opened.fake.ledger.paid[0].body
    assert body["parameters"] == {"aspectRatio": "9:16", "resolution": "1080p", "durationSeconds": 8}
    assert body["instances"][0]["image"] == {"bytesBase64Encoded": "cG5n", "mimeType": "image/png"}
    assert body["webhookConfig"]["uris"] == ["https://sorami.example/w/1"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"width": 1024, "height": 1024}, "16:9"),
        ({"duration_seconds": 9.0}, "8 seconds"),
        ({"width": 1920, "height": 1080, "duration_seconds": 4.0}, "1080p at 8 seconds only"),
    ],
)
async def test_what_it_cannot_film_is_refused_before_anything_is_paid(
    stage: Open, asked: dict[str, object], words: str
) -> None:
    opened = await stage("veo")
    ending = await opened.drive(**asked)
    assert ending.failure is not None
    assert ending.failure.code is FailureCode.INVALID_INPUT
    assert words in ending.failure.message
    assert opened.fake.ledger.tried == []


async def test_two_films_are_two_operations_polled_by_their_due_time(stage: Open) -> None:
    opened = await stage("veo")
    ending = await opened.drive(count=2)
    assert [(file.index, file.format) for file in ending.files] == [(1, "MP4"), (2, "MP4")]
    assert ending.pauses == [10.0]


async def test_the_download_gets_the_key(stage: Open) -> None:
    opened = await stage("veo")
    await opened.drive()
    assert opened.fake.media_headers[0]["x-goog-api-key"] == KEY
