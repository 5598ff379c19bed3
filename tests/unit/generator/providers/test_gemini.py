"""Gemini: what is asked, what is read from the answer, and a model that has been retired."""

from pathlib import Path

import pytest

from contracts.failures import FailureCode
from services.generator.providers.base import Finished, ProviderFailed
from services.generator.providers.remote.api import Answer
from services.generator.providers.remote.google import ended, refused
from tests.unit.generator.providers.conftest import Open


async def test_the_request_has_ratio_size_words_and_the_input_image(stage: Open, tmp_path: Path) -> None:
    opened = await stage("gemini")
    source = tmp_path / "input.webp"
    source.write_bytes(b"RIFF")

    await opened.drive(width=1920, height=1080, style="ink", caption="Bonjour", input_image=source)

    submit = opened.fake.ledger.paid[0]
    assert submit.path == "/v1beta/models/gemini-3.1-flash-image:generateContent"
    config = submit.body["generationConfig"]
    assert config["imageConfig"] == {"aspectRatio": "16:9", "imageSize": "2K"}
    assert config["responseModalities"] == ["TEXT", "IMAGE"]
    text, image = submit.body["contents"][0]["parts"]
    assert text["text"].endswith('Style: ink.\n\nWith the text: "Bonjour".')
    assert image == {"inlineData": {"mimeType": "image/webp", "data": "UklGRg=="}}


async def test_a_draft_of_a_thought_is_not_the_image(stage: Open) -> None:
    opened = await stage("gemini")
    ending = await opened.drive()
    assert [(file.format, file.description) for file in ending.files] == [("JPEG", "A cat.")]


async def test_each_image_is_a_call_of_its_own(stage: Open) -> None:
    opened = await stage("gemini")
    ending = await opened.drive(count=4)
    assert len(ending.files) == len(opened.fake.ledger.paid) == 4
    assert len({file.path for file in ending.files}) == 4


async def test_the_seeds_model_is_refused_with_its_successor(stage: Open) -> None:
    opened = await stage("gemini")
    ending = await opened.drive(model="gemini-2.5-flash-image")
    assert ending.failure is not None
    assert ending.failure.code is FailureCode.INVALID_INPUT
    assert "gemini-3.1-flash-image" in ending.failure.message
    assert opened.fake.ledger.tried == []


async def test_a_model_nobody_configured_is_refused(stage: Open) -> None:
    opened = await stage("gemini")
    ending = await opened.drive(model="gemini-9")
    assert ending.failure is not None
    assert ending.failure.code is FailureCode.INVALID_INPUT
    assert not ending.failure.retryable


async def test_the_answer_stays_in_the_workdir_until_it_is_fetched_again(stage: Open) -> None:
    opened = await stage("gemini")
    finished = await opened.provider.submit(opened.order(), "key")
    assert isinstance(finished, Finished)
    first = await opened.provider.fetch(finished.media[0], opened.folder)
    assert await opened.provider.fetch(finished.media[0], opened.folder) == first


def answer(code: int, **error: object) -> Answer:
    return Answer(code, {}, {"error": error}, str(error.get("message", "")))


def test_the_pause_of_google_stands_in_its_details() -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "18s"}
    failure = refused("gemini", answer(429, status="RESOURCE_EXHAUSTED", message="slow", details=[info]))
    assert (failure.failure.code, failure.retry_after) == (FailureCode.RATE_LIMITED, 18.0)


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (400, {"status": "FAILED_PRECONDITION", "message": "region"}, FailureCode.QUOTA),
        (403, {"status": "PERMISSION_DENIED", "message": "no"}, FailureCode.PROVIDER_AUTH),
        (429, {"message": "x", "details": [{"reason": "MODEL_CAPACITY_EXHAUSTED"}]}, FailureCode.OVERLOADED),
        (429, {"message": "Your spending cap is reached (spend)"}, FailureCode.QUOTA),
        (404, {"status": "NOT_FOUND", "message": "model is gone"}, FailureCode.PROVIDER_ERROR),
        (504, {"status": "DEADLINE_EXCEEDED", "message": "late"}, FailureCode.TIMEOUT),
    ],
)
def test_google_s_refusals_are_typed(status: int, error: dict[str, object], code: FailureCode) -> None:
    assert refused("gemini", answer(status, **error)).failure.code is code


@pytest.mark.parametrize(
    ("number", "words", "code", "retryable"),
    [
        (3, "bad", FailureCode.INVALID_INPUT, False),
        (4, "late", FailureCode.TIMEOUT, True),
        (8, "requests a minute", FailureCode.RATE_LIMITED, True),
        (8, "quota of the day", FailureCode.QUOTA, False),
        (14, "busy", FailureCode.OVERLOADED, True),
        (16, "who", FailureCode.PROVIDER_AUTH, False),
        (99, "new", FailureCode.PROVIDER_ERROR, False),
        (3, "blocked by our safety filters", FailureCode.CONTENT_FILTERED, False),
    ],
)
def test_the_errors_of_operations_are_typed(number: int, words: str, code: FailureCode, retryable: bool) -> None:
    failure = ended("veo", {"code": number}, words).failure
    assert (failure.code, failure.retryable, failure.charged) == (code, retryable, "no")


def test_a_safety_refusal_is_no_invalid_input() -> None:
    with pytest.raises(ProviderFailed) as raised:
        raise refused("gemini", answer(400, status="INVALID_ARGUMENT", message="violates our usage guidelines"))
    assert raised.value.failure.code is FailureCode.CONTENT_FILTERED
