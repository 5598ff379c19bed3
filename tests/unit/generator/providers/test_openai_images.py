"""OpenAI's dialect: sizes, qualities, edits, look-alikes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contracts.failures import FailureCode
from services.generator.providers.base import Finished, ProviderFailed
from services.generator.providers.remote import openai_images
from services.generator.providers.remote.api import Answer
from services.generator.providers.remote.event_stream import StreamTooLarge, read_events
from services.generator.providers.remote.openai_images import OpenAIImages
from tests.support.providers.behaviours import PAUSE_SECONDS, Behaviour
from tests.support.providers.fake import KEY
from tests.support.providers.openai import FakeOpenAI
from tests.unit.generator.providers.conftest import Open, Stage


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


async def test_a_repeat_that_meets_the_work_under_way_waits_for_it(stage: Open) -> None:
    opened = await stage("openai with a key for repeats", Behaviour.HALF_ANSWER)
    assert isinstance(opened.fake, FakeOpenAI)
    opened.fake.works_on = 1
    ending = await opened.drive()
    assert ending.failure is None
    assert PAUSE_SECONDS in ending.pauses
    assert (len(opened.fake.ledger.tried), len(opened.fake.ledger.paid)) == (3, 1)


async def test_no_key_is_sent_to_a_server_that_promises_nothing(stage: Open) -> None:
    opened = await stage("openai")
    await opened.drive()
    assert "Idempotency-Key" not in opened.fake.ledger.paid[0].headers


async def streamed(opened: Stage, seen: list[bytes]) -> Finished:
    """Submit to the stage's fake with partial images."""
    adapter = openai_images.build(KEY, f"{opened.fake.url}/v1", ["gpt-image-2"], partial_images=2)
    order = opened.order(on_preview=lambda path: seen.append(path.read_bytes()))
    try:
        finished = await adapter.submit(order, "key")
    finally:
        await adapter.close()
    return finished


async def test_a_stream_shows_unfinished_pictures_and_ends_with_the_image(stage: Open) -> None:
    opened, seen = await stage("openai"), list[bytes]()
    finished = await streamed(opened, seen)
    assert seen == [b"part", b"part"]
    assert len(finished.media) == 1
    body = opened.fake.ledger.paid[0].body
    assert (body["stream"], body["partial_images"], body["n"]) == (True, 2, 1)


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (Behaviour.FILTER_OUTPUT, FailureCode.CONTENT_FILTERED),
        (Behaviour.HALF_ANSWER, FailureCode.OUTCOME_UNKNOWN),
        (Behaviour.AUTH, FailureCode.PROVIDER_AUTH),
    ],
)
async def test_a_stream_without_an_image_is_typed(stage: Open, behaviour: Behaviour, code: FailureCode) -> None:
    opened = await stage("openai", behaviour)
    with pytest.raises(ProviderFailed) as raised:
        await streamed(opened, [])
    assert raised.value.failure.code is code


async def test_events_are_read_across_chunks_of_any_size() -> None:
    text = b': hello\r\n\r\nevent: a\ndata: {"a":\ndata: 1}\n\ndata: [DONE]\n\ndata: {"b": 2}'

    async def chunks(size: int) -> AsyncIterator[bytes]:
        for start in range(0, len(text), size):
            yield text[start : start + size]

    for size in (1, 2, 3, 7, 100):
        assert [event async for event in read_events(chunks(size), 1_000)] == [{"a": 1}, {"b": 2}]
    with pytest.raises(StreamTooLarge):
        assert [event async for event in read_events(chunks(7), 20)]


@pytest.mark.parametrize(("wish", "retryable"), [("true", True), ("false", False)])
async def test_the_server_s_wish_about_retries_counts(stage: Open, wish: str, retryable: bool) -> None:
    opened = await stage("openai")
    assert isinstance(opened.adapter, OpenAIImages)
    answer = Answer(500 if wish == "false" else 400, {"x-should-retry": wish}, {"error": {"message": "m"}}, "m")
    assert opened.adapter._refused(opened.order(), answer).failure.retryable is retryable
