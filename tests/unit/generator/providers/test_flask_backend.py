"""The seeds' Flask backend: their body with our id, and an ending that comes by webhook."""

from typing import Any

import pytest

from contracts.failures import FailureCode
from services.generator.providers.base import OutcomeUnknown, ProviderFailed, Running, Submitted
from services.generator.providers.remote import flask_backend
from tests.support.providers.behaviours import Behaviour
from tests.support.providers.fake import KEY
from tests.support.providers.flask import FakeFlask
from tests.unit.generator.providers.conftest import Open, Stage

JOB = "cm4abc123def456ghi789jklm"


async def submitted(opened: Stage, **more: object) -> Submitted:
    answer = await opened.provider.submit(opened.order(**more), "key")
    assert isinstance(answer, Submitted)
    return answer


async def test_it_gets_the_seeds_body_with_our_id(stage: Open) -> None:
    opened = await stage("flask")
    await submitted(
        opened, count=2, user_id="user_2abc123", input_image_url="https://x/y.png", style="illustration", quality="high"
    )
    submit = opened.fake.ledger.paid[0]
    assert submit.path == "/api/images/generate"
    assert submit.body == {
        "prompt": "Un chat mignon avec des lunettes de soleil",
        "job_id": JOB,
        "user_id": "user_2abc123",
        "input_image_url": "https://x/y.png",
        "num_images": 2,
        "size": "1024x1024",
        "format": "PNG",
        "style": "illustration",
        "quality": "high",
    }


async def test_a_film_goes_to_the_videos_route(stage: Open) -> None:
    opened = await stage("flask")
    await submitted(opened, kind="video", format="MP4", width=1280, height=720, duration_seconds=4.0, fps=24)
    submit = opened.fake.ledger.paid[0]
    assert submit.path == "/api/videos/generate"
    assert (submit.body["num_videos"], submit.body["duration_seconds"], submit.body["fps"]) == (1, 4.0, 24)


async def test_it_is_not_asked_again_until_its_webhook_or_the_deadline(stage: Open) -> None:
    opened = await stage("flask")
    answer = await submitted(opened)
    assert answer.operation.id == JOB
    assert await opened.provider.poll(answer.operation) == Running(600.0)


async def test_a_backend_that_answers_an_id_of_its_own_is_known_by_it(stage: Open) -> None:
    opened = await stage("flask")
    assert isinstance(opened.fake, FakeFlask)
    opened.fake.own_id = "c76c36ee-0000-4000-8000-000000000000"
    operation = (await submitted(opened)).operation
    assert (operation.id, operation.state["foreign"]) == (opened.fake.own_id, True)


@pytest.mark.parametrize("answer", [{}, [], "ok", {"job_id": ""}, {"job_id": "x" * 200}, {"job_id": 7}])
async def test_any_success_is_an_acceptance(stage: Open, monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    opened = await stage("flask")
    monkeypatch.setattr(opened.fake, "accept", lambda submit: answer)
    assert (await submitted(opened)).operation.id == JOB


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (Behaviour.SERVER_ERROR, FailureCode.PROVIDER_ERROR),
        (Behaviour.AUTH, FailureCode.PROVIDER_AUTH),
        (Behaviour.CAPACITY, FailureCode.OVERLOADED),
        (Behaviour.INVALID, FailureCode.INVALID_INPUT),
        (Behaviour.RATE_LIMITED, FailureCode.RATE_LIMITED),
        (Behaviour.LOST_ANSWER, FailureCode.OUTCOME_UNKNOWN),
        (Behaviour.HALF_ANSWER, FailureCode.OUTCOME_UNKNOWN),
        (Behaviour.BAD_GATEWAY, FailureCode.OUTCOME_UNKNOWN),
        (Behaviour.NOT_EXECUTED, FailureCode.OUTCOME_UNKNOWN),
    ],
)
async def test_a_submit_that_fails_is_typed(stage: Open, behaviour: Behaviour, code: FailureCode) -> None:
    opened = await stage("flask", behaviour)
    opened.adapter.api.submit_seconds = 0.4
    with pytest.raises(ProviderFailed) as raised:
        await submitted(opened)
    assert raised.value.failure.code is code
    assert isinstance(raised.value, OutcomeUnknown) is (code is FailureCode.OUTCOME_UNKNOWN)


async def test_nobody_there_means_that_nothing_was_sent(stage: Open) -> None:
    opened = await stage("flask")
    await opened.fake.stop()
    with pytest.raises(ProviderFailed) as raised:
        await submitted(opened)
    assert (raised.value.failure.code, raised.value.failure.charged) == (FailureCode.OVERLOADED, "no")
    assert raised.value.failure.retryable


@pytest.mark.parametrize("route", ["", "/", "/api/images/generate", "/api/videos/generate"])
def test_its_address_may_be_given_with_the_route_of_the_seeds_sample(route: str) -> None:
    adapter = flask_backend.build(f"http://localhost:5000{route}", KEY)
    assert adapter.api.base_url == "http://localhost:5000"
