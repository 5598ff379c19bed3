"""OpenAI's dialect: sizes, qualities, edits, look-alikes."""

from pathlib import Path

import pytest

from services.generator.providers.remote.api import Answer
from services.generator.providers.remote.openai_images import OpenAIImages
from tests.support.providers.behaviours import Behaviour
from tests.unit.generator.providers.conftest import Open


async def test_all_images_come_from_one_call(stage: Open) -> None:
    opened = await stage("openai")
    ending = await opened.drive(count=3, width=1920, height=1080, quality="high", format="WEBP")
    body = opened.fake.ledger.paid[0].body
    assert body == {
        "model": "gpt-image-2",
        "prompt": "Un chat mignon avec des lunettes de soleil",
        "n": 3,
        "size": "1920x1088",
        "quality": "high",
        "output_format": "webp",
    }
    assert [file.index for file in ending.files] == [1, 2, 3]
    # What came is a PNG, whatever was asked for.
    assert {file.format for file in ending.files} == {"PNG"}


async def test_an_older_model_gets_the_nearest_of_its_sizes(stage: Open) -> None:
    opened = await stage("openai")
    opened.adapter.models = ("gpt-image-1-mini",)
    await opened.drive(model="gpt-image-1-mini", width=1080, height=1920)
    assert opened.fake.ledger.paid[0].body["size"] == "1024x1536"


async def test_a_look_alike_gets_the_plain_dialect_and_may_answer_addresses(stage: Open) -> None:
    opened = await stage("localai")
    ending = await opened.drive(count=2)
    body = opened.fake.ledger.paid[0].body
    assert (body["size"], body["response_format"]) == ("1024x1024", "b64_json")
    assert "quality" not in body
    assert len(ending.files) == 2


async def test_an_input_image_makes_it_an_edit(stage: Open, tmp_path: Path) -> None:
    opened = await stage("openai")
    source = tmp_path / "input.png"
    source.write_bytes(b"pixels")
    await opened.drive(input_image=source)
    submit = opened.fake.ledger.paid[0]
    assert submit.path == "/v1/images/edits"
    assert (submit.body["image[]"].filename, submit.body["image[]"].content_type) == ("input.png", "image/png")
    assert submit.body["n"] == "1"


async def test_a_repeat_with_the_same_key_is_the_same_work(stage: Open) -> None:
    opened = await stage("openai with a key for repeats", Behaviour.HALF_ANSWER)
    await opened.drive()
    keys = {submit.headers["Idempotency-Key"] for submit in opened.fake.ledger.tried}
    assert (len(opened.fake.ledger.tried), len(opened.fake.ledger.paid), len(keys)) == (2, 1, 1)


async def test_no_key_is_sent_to_a_server_that_promises_nothing(stage: Open) -> None:
    opened = await stage("openai")
    await opened.drive()
    assert "Idempotency-Key" not in opened.fake.ledger.paid[0].headers


@pytest.mark.parametrize(("wish", "retryable"), [("true", True), ("false", False)])
async def test_the_server_s_wish_about_retries_counts(stage: Open, wish: str, retryable: bool) -> None:
    opened = await stage("openai")
    assert isinstance(opened.adapter, OpenAIImages)
    answer = Answer(500 if wish == "false" else 400, {"x-should-retry": wish}, {"error": {"message": "m"}}, "m")
    assert opened.adapter._refused(opened.order(), answer).failure.retryable is retryable
