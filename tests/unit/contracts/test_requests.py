"""Each wrong request gets its own stable code, and a right one keeps every word."""

from typing import Any

import pytest

from contracts.faults import RequestRefused
from contracts.kinds import IMAGE, KINDS, VIDEO, Kind
from contracts.requests import read_request


def codes(body: dict[str, Any], kind: Kind = IMAGE) -> list[str]:
    with pytest.raises(RequestRefused) as refused:
        read_request(kind, {"prompt": "a cat"} | body)
    return [fault.code for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"prompt": "a\ud800"}, "prompt_not_unicode"),
        ({"prompt": "a\x00b"}, "prompt_control_character"),
        ({"prompt": "\x1b[31m"}, "prompt_control_character"),
        ({"prompt": ""}, "prompt_empty"),
        ({"prompt": "  \u200b\u202e "}, "prompt_empty"),
        ({"prompt": "x" * 10_001}, "prompt_too_long"),
        ({"prompt": 7}, "not_a_string"),
        ({"prompt": None}, "not_a_string"),
        ({"num_images": 0}, "num_images_out_of_range"),
        ({"num_images": -1}, "num_images_out_of_range"),
        ({"num_images": 5}, "num_images_out_of_range"),
        ({"num_images": 2**31}, "num_images_out_of_range"),
        ({"num_images": 2**63}, "num_images_out_of_range"),
        ({"num_images": True}, "not_an_integer"),
        ({"num_images": "2"}, "not_an_integer"),
        ({"num_images": 2.5}, "not_an_integer"),
        ({"num_images": None}, "not_an_integer"),
        ({"size": "0x0"}, "size_unsupported"),
        ({"size": "99999x99999"}, "size_unsupported"),
        ({"size": "1024X1024"}, "size_unsupported"),
        ({"size": "1024×1024"}, "size_unsupported"),
        ({"size": "1024x"}, "size_unsupported"),
        ({"size": "１０２４x1024"}, "size_unsupported"),
        ({"format": "SVG"}, "format_unsupported"),
        ({"format": "GIF"}, "format_unsupported"),
        ({"format": "PNG\n"}, "format_unsupported"),
        ({"style": "cubist-from-mars"}, "style_unsupported"),
        ({"quality": "best"}, "quality_unsupported"),
        ({"authorId": "x"}, "unknown_field"),
        ({"status": "COMPLETED"}, "unknown_field"),
        ({"job_id": "../../etc"}, "job_id_invalid"),
        ({"input_image_url": "file:///etc/passwd"}, "url_scheme"),
        ({"input_image_url": "https://x/" + "a" * 2_100}, "url_too_long"),
        ({"seed": -1}, "seed_out_of_range"),
        ({"priority": 11}, "priority_out_of_range"),
        ({"priority": -11}, "priority_out_of_range"),
        ({"priority": None}, "not_an_integer"),
        ({"priority": 1.5}, "not_an_integer"),
        ({"start_within_seconds": 0}, "start_within_seconds_out_of_range"),
        ({"finish_within_seconds": 30 * 86_400 + 1}, "finish_within_seconds_out_of_range"),
        ({"parent_id": "../x"}, "parent_unknown"),
        ({"parent_id": ""}, "parent_unknown"),
    ],
)
def test_a_wrong_field_is_named_by_a_stable_code(body: dict[str, Any], code: str) -> None:
    assert codes(body) == [code]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"duration_seconds": 0}, "duration_seconds_out_of_range"),
        ({"duration_seconds": 3601}, "duration_seconds_out_of_range"),
        ({"duration_seconds": float("nan")}, "duration_seconds_out_of_range"),
        ({"fps": 1000}, "fps_out_of_range"),
        ({"size": "16/9"}, "size_unsupported"),
        ({"num_images": 1}, "unknown_field"),
    ],
)
def test_a_wrong_field_of_a_video_is_named_too(body: dict[str, Any], code: str) -> None:
    assert codes(body, VIDEO) == [code]


def test_all_faults_are_told_at_once() -> None:
    assert codes({"size": "1x1", "format": "SVG", "extra": 1}) == [
        "size_unsupported",
        "format_unsupported",
        "unknown_field",
    ]


def test_ten_thousand_characters_and_emoji_are_a_prompt() -> None:
    prompt = "👨‍👩‍👧‍👦" + "é" * 9_900
    assert read_request(IMAGE, {"prompt": prompt}).prompt == prompt


def test_formats_are_read_in_any_case() -> None:
    assert read_request(IMAGE, {"prompt": "a", "format": "png"}).format == "PNG"
    assert read_request(IMAGE, {"prompt": "a", "format": "jpg"}).format == "JPEG"


def test_the_seeds_body_is_a_request() -> None:
    wanted = read_request(
        IMAGE,
        {
            "prompt": "Un chat mignon avec des lunettes de soleil",
            "job_id": "cm4abc123def456ghi789",
            "user_id": "user_2abc123",
            "input_image_url": "https://example.com/cat.png",
            "num_images": 1,
            "size": "1024x1024",
            "format": "PNG",
            "style": "illustration",
            "quality": "high",
        },
    )
    assert (wanted.count, wanted.size, wanted.style, wanted.quality) == (1, "1024x1024", "illustration", "high")


def test_defaults_are_the_seeds_own() -> None:
    image = read_request(IMAGE, {"prompt": "a"})
    video = read_request(VIDEO, {"prompt": "a"})
    assert (image.count, image.size, image.format, image.quality) == (1, "1024x1024", "PNG", "standard")
    assert (video.count, video.size, video.format, dict(video.options)) == (
        1,
        "1280x720",
        "MP4",
        {"duration_seconds": 4, "fps": 24},
    )


def test_the_same_request_has_the_same_digest_and_another_has_not() -> None:
    first = read_request(IMAGE, {"prompt": "a", "job_id": "one"})
    same = read_request(IMAGE, {"prompt": "a", "job_id": "one", "format": "png"})
    other = read_request(IMAGE, {"prompt": "b", "job_id": "one"})
    assert first.digest() == same.digest() != other.digest()


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_declared_size_is_accepted(kind: Kind) -> None:
    for size in kind.sizes:
        assert read_request(kind, {"prompt": "a", "size": size}).size == size


def test_a_request_without_the_later_fields_keeps_its_digest() -> None:
    # Written down when there were no such fields: a client's own job_id must stay the same job.
    digest = "c4aabfbaac13d056f1fef98d6913f4b5eb979c4be5b840720a9a1c0452e739fa"
    assert read_request(IMAGE, {"prompt": "a"}).digest() == digest
    assert read_request(IMAGE, {"prompt": "a", "priority": 0}).digest() == digest


@pytest.mark.parametrize(
    "later", [{"priority": 1}, {"parent_id": "x"}, {"start_within_seconds": 5}, {"finish_within_seconds": 5}]
)
def test_a_later_field_makes_another_request(later: dict[str, Any]) -> None:
    assert read_request(IMAGE, {"prompt": "a"} | later).digest() != read_request(IMAGE, {"prompt": "a"}).digest()
