"""fal, Replicate and BFL: options of a submit, addresses they name, looking for lost work, cancelling."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.failures import FailureCode
from contracts.provider_settings import TemplatedModel
from services.generator.providers.base import Finished, Operation, OutcomeUnknown, ProviderFailed, Running, Submitted
from services.generator.providers.remote import bfl, replicate
from services.generator.providers.remote.bfl import Bfl
from services.generator.providers.remote.replicate import Replicate
from tests.support.providers.behaviours import Behaviour
from tests.support.providers.fake import KEY
from tests.unit.generator.providers.conftest import Open, Stage

WAKE = "https://sorami.example/api/webhooks/providers/x/token"


async def submitted(opened: Stage, key: str = "key", **more: object) -> Submitted:
    answer = await opened.provider.submit(opened.order(**more), key)
    assert isinstance(answer, Submitted)
    return answer


@pytest.mark.parametrize("name", ["fal", "replicate"])
async def test_a_running_operation_is_cancelled(stage: Open, name: str) -> None:
    opened = await stage(name, Behaviour.SLOW)
    operation = (await submitted(opened)).operation
    assert await opened.provider.cancel(operation)
    assert all(work.cancelled for work in opened.fake.works.values())


@pytest.mark.parametrize("name", ["fal", "replicate"])
async def test_what_it_does_not_know_it_does_not_cancel(stage: Open, name: str) -> None:
    opened = await stage(name)
    operation = (await submitted(opened)).operation
    opened.fake.works.clear()
    assert not await opened.provider.cancel(operation)


@pytest.mark.parametrize("name", ["gemini", "veo", "openai", "bfl", "flask"])
async def test_what_cannot_be_cancelled_says_so(stage: Open, name: str) -> None:
    opened = await stage(name)
    assert not opened.provider.traits.cancellable
    assert not await opened.provider.cancel(Operation("x"))


@pytest.mark.parametrize("name", ["gemini", "veo", "openai", "fal", "bfl", "flask"])
async def test_what_cannot_be_found_is_an_unknown_outcome(stage: Open, name: str) -> None:
    opened = await stage(name)
    assert not opened.provider.traits.findable
    with pytest.raises(OutcomeUnknown):
        await opened.provider.find(opened.order(), "key", datetime.now(UTC))


# ---- fal


async def test_fal_gets_the_webhook_and_the_time_left(stage: Open) -> None:
    opened = await stage("fal")
    await submitted(opened, wake_url=WAKE, lifetime_seconds=90.7, seed=3)
    submit = opened.fake.ledger.paid[0]
    assert submit.path == "/fal-ai/flux/dev"
    assert submit.query == {"fal_webhook": WAKE}
    assert submit.headers["X-Fal-Request-Timeout"] == "90"
    assert submit.body == {
        "prompt": "Un chat mignon avec des lunettes de soleil",
        "image_size": {"width": 1024, "height": 1024},
        "num_images": 1,
        "seed": 3,
        "output_format": "png",
    }


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/", "http://127.0.0.1:1/x", "https://evil.example/", "file:///etc/passwd", 7]
)
async def test_a_status_address_that_is_not_fal_s_is_never_asked(
    stage: Open, monkeypatch: pytest.MonkeyPatch, address: object
) -> None:
    opened = await stage("fal")
    accept = opened.fake.accept
    monkeypatch.setattr(opened.fake, "accept", lambda submit: accept(submit) | {"status_url": address})
    ending = await opened.drive()
    assert ending.failure is not None
    assert (ending.failure.code, ending.failure.charged) == (FailureCode.PROVIDER_ERROR, "unknown")
    assert "not its own" in ending.failure.message
    assert len(opened.fake.ledger.paid) == 1


async def test_a_model_without_count_is_asked_once_an_image(stage: Open) -> None:
    opened = await stage("fal")
    one = TemplatedModel(id="fal-ai/one", input={"prompt": "{{prompt}}", "num_images": 1, "seed": "{{seed}}"})
    opened.adapter._models = {"flux": one}  # type: ignore[attr-defined]
    ending = await opened.drive(count=3, seed=2**32 - 1)
    assert len(ending.files) == 3
    assert sorted(submit.body["seed"] for submit in opened.fake.ledger.paid) == [0, 1, 2**32 - 1]


# ---- Replicate


async def test_replicate_gets_the_deadline_the_webhook_and_a_seed(stage: Open) -> None:
    opened = await stage("replicate")
    await submitted(opened, wake_url=WAKE, lifetime_seconds=2.0)
    submit = opened.fake.ledger.paid[0]
    assert submit.path == "/v1/models/black-forest-labs/flux-dev/predictions"
    assert submit.headers["Cancel-After"] == "5s"
    assert "Prefer" not in submit.headers
    assert (submit.body["webhook"], submit.body["webhook_events_filter"]) == (WAKE, ["completed"])
    assert isinstance(submit.body["input"]["seed"], int)


async def test_a_webhook_without_tls_is_not_offered(stage: Open) -> None:
    opened = await stage("replicate")
    await submitted(opened, wake_url="http://localhost:9006/w")
    assert "webhook" not in opened.fake.ledger.paid[0].body


async def test_a_submit_that_may_wait_answers_the_result(stage: Open) -> None:
    opened = await stage("replicate")
    model = {"flux": TemplatedModel(id="o/m:abc123")}
    waiting = replicate.build(KEY, f"{opened.fake.url}/v1", model, wait_seconds=20)
    finished = await waiting.submit(opened.order(), "key")
    assert isinstance(finished, Finished)
    submit = opened.fake.ledger.paid[0]
    assert (submit.path, submit.body["version"]) == ("/v1/predictions", "abc123")
    assert submit.headers["Prefer"] == "wait=20"
    await waiting.close()


async def test_its_words_tell_how_long_to_wait(stage: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = await stage("replicate", Behaviour.RATE_LIMITED)
    monkeypatch.setattr("tests.support.providers.fake.PAUSE_SECONDS", "soon")
    ending = await opened.drive()
    assert ending.failure is None
    assert 30.0 in ending.pauses


async def test_a_like_prediction_without_a_seed_is_nobody_s(stage: Open) -> None:
    opened = await stage("replicate")
    bare = TemplatedModel(id="o/m", input={"prompt": "{{prompt}}", "num_outputs": "{{count}}"})
    opened.adapter._models = {"flux": bare}  # type: ignore[attr-defined]
    since = datetime.now(UTC)
    assert await opened.provider.find(opened.order(), "key", since) is None
    await submitted(opened)
    with pytest.raises(OutcomeUnknown):
        await opened.provider.find(opened.order(), "key", since)


async def test_a_prediction_of_another_key_is_not_ours(stage: Open) -> None:
    opened = await stage("replicate")
    since = datetime.now(UTC)
    await submitted(opened, "another")
    assert await opened.provider.find(opened.order(), "key", since) is None


async def test_after_an_hour_nothing_can_be_told_by_its_input(stage: Open) -> None:
    opened = await stage("replicate")
    with pytest.raises(OutcomeUnknown):
        await opened.provider.find(opened.order(), "key", datetime.now(UTC) - timedelta(hours=1))


@pytest.mark.parametrize(
    ("prediction", "code", "charged"),
    [
        ({"status": "canceled"}, FailureCode.TIMEOUT, "yes"),
        ({"status": "aborted"}, FailureCode.TIMEOUT, "no"),
        ({"status": "failed", "error": "CUDA out of memory (E1001)"}, FailureCode.INVALID_INPUT, "unknown"),
        ({"status": "failed", "error": "NSFW content detected"}, FailureCode.CONTENT_FILTERED, "unknown"),
        ({"status": "succeeded", "output": None, "data_removed": True}, FailureCode.PROVIDER_ERROR, "yes"),
    ],
)
async def test_its_endings_are_typed(
    stage: Open, monkeypatch: pytest.MonkeyPatch, prediction: dict[str, Any], code: FailureCode, charged: str
) -> None:
    opened = await stage("replicate")
    assert isinstance(opened.adapter, Replicate)
    monkeypatch.setattr(opened.fake, "_end", lambda name: prediction)
    ending = await opened.drive()
    assert ending.failure is not None
    assert (ending.failure.code, ending.failure.charged) == (code, charged)
    assert len(opened.fake.ledger.paid) == (3 if prediction["status"] == "aborted" else 1)


# ---- BFL


async def test_a_new_task_may_be_unknown_for_a_moment(stage: Open) -> None:
    opened = await stage("bfl", Behaviour.VANISHED)
    assert isinstance(opened.adapter, Bfl)
    opened.adapter.grace_seconds = 30
    operation = (await submitted(opened)).operation
    assert isinstance(await opened.provider.poll(operation), Running)


async def test_a_task_may_lie_in_another_region_of_the_house_only() -> None:
    api = bfl.build(KEY, "https://api.bfl.ai/v1", ["flux"]).api
    assert api.own("https://api.us1.bfl.ai/v1/get_result?id=t")
    for foreign in ("https://api.bfl.ai.evil.example/", "https://evilbfl.ai/", "http://api.eu.bfl.ai/", "https://x:1/"):
        with pytest.raises(ProviderFailed):
            api.own(foreign)


async def test_bfl_paints_in_multiples_of_16(stage: Open) -> None:
    opened = await stage("bfl")
    await submitted(opened, width=1080, height=1920, wake_url=WAKE)
    body = opened.fake.ledger.paid[0].body
    assert (body["width"], body["height"], body["webhook_url"]) == (1088, 1920, WAKE)
