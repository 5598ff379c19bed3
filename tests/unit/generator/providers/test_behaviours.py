"""Every adapter through every behaviour of its fake: each ends as stated, and is paid for as often as stated."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from contracts.failures import FailureCode
from services.generator.providers.remote.http_provider import log
from tests.support.providers.behaviours import PAUSE_SECONDS, ROUNDS, Behaviour
from tests.support.providers.driver import Ending
from tests.support.providers.fake import KEY
from tests.unit.generator.providers.conftest import Open

B = Behaviour


@dataclass(frozen=True)
class Done:
    """Files came, as many as asked for unless `partial` names why some are missing."""

    paid: int = 1
    count: int = 1
    partial: str | None = None
    waits: float | None = None


@dataclass(frozen=True)
class Fails:
    """A typed failure."""

    code: FailureCode
    charged: str = "no"
    stage: str | None = None
    paid: int = 1


C = FailureCode
UNKNOWN = Fails(C.OUTCOME_UNKNOWN, "unknown")
SPOILED = Fails(C.PROVIDER_ERROR, "yes")

# What holds for every provider that answers over HTTP.
COMMON: Mapping[Behaviour, Done | Fails] = {
    B.SUCCESS: Done(),
    B.RATE_LIMITED: Done(waits=PAUSE_SECONDS),
    B.SERVER_ERROR: Done(),
    B.LOST_ANSWER: UNKNOWN,
    B.HALF_ANSWER: UNKNOWN,
    B.BAD_GATEWAY: UNKNOWN,
    B.NOT_EXECUTED: Fails(C.OUTCOME_UNKNOWN, "unknown", paid=0),
    B.AUTH: Fails(C.PROVIDER_AUTH, paid=0),
    B.QUOTA: Fails(C.QUOTA, paid=0),
    B.CAPACITY: Fails(C.OVERLOADED, paid=0),
    B.INVALID: Fails(C.INVALID_INPUT, paid=0),
    B.TRUNCATED: SPOILED,
    B.CORRUPT: SPOILED,
    B.HTML: SPOILED,
}
# What holds for those whose media lie at an address.
ADDRESSES: Mapping[Behaviour, Done | Fails] = {B.PRIVATE_REDIRECT: SPOILED, B.GONE: SPOILED}
# What holds for those with operations.
OPERATIONS: Mapping[Behaviour, Done | Fails] = {
    B.SLOW: Done(),
    B.UNKNOWN_STATUS: Done(),
    B.POLL_TROUBLE: Done(),
    B.VANISHED: Fails(C.PROVIDER_ERROR, "unknown"),
}
# A lost answer is looked for where the provider can be asked.
FINDABLE: Mapping[Behaviour, Done | Fails] = {
    B.LOST_ANSWER: Done(),
    B.HALF_ANSWER: Done(),
    B.BAD_GATEWAY: Done(),
    B.NOT_EXECUTED: Done(),
}
OPENAI: Mapping[Behaviour, Done | Fails] = {
    **COMMON,
    B.FILTER_INPUT: Fails(C.CONTENT_FILTERED, "unknown", "input_prompt"),
    B.FILTER_OUTPUT: Fails(C.CONTENT_FILTERED, "unknown", "output"),
    B.FILTER_PARTIAL: Done(count=1, partial="no_media"),
    B.NO_MEDIA: Fails(C.NO_MEDIA, "unknown", "output"),
}
# On a machine of the operator's nothing is charged, so that what failed may simply run again.
COMFYUI: Mapping[Behaviour, Done | Fails] = {
    **{behaviour: ending for behaviour, ending in COMMON.items() if behaviour is not B.QUOTA},
    **ADDRESSES,
    **OPERATIONS,
    **FINDABLE,
    B.NO_MEDIA: Fails(C.NO_MEDIA, "no", "output"),
    B.VANISHED: Fails(C.PROVIDER_ERROR, paid=3),
    B.FAILS: Fails(C.OVERLOADED, paid=3),
}

TABLE: Mapping[str, Mapping[Behaviour, Done | Fails]] = {
    "gemini": {
        **COMMON,
        B.FILTER_INPUT: Fails(C.CONTENT_FILTERED, "unknown", "input_prompt"),
        B.FILTER_OUTPUT: Fails(C.CONTENT_FILTERED, "unknown", "output"),
        B.FILTER_PARTIAL: Done(paid=2, count=1, partial="content_filtered"),
        B.NO_MEDIA: Fails(C.NO_MEDIA, "unknown", "output"),
    },
    "veo": {
        **COMMON,
        **ADDRESSES,
        **{behaviour: ending for behaviour, ending in OPERATIONS.items() if behaviour is not B.UNKNOWN_STATUS},
        B.FILTER_INPUT: Fails(C.CONTENT_FILTERED, "no", "input_prompt"),
        B.FILTER_OUTPUT: Fails(C.CONTENT_FILTERED, "no", "output"),
        B.FILTER_PARTIAL: Done(paid=2, count=1, partial="content_filtered"),
        B.NO_MEDIA: Fails(C.NO_MEDIA, "unknown", "output"),
        # Google does not charge an operation that ended with an error.
        B.FAILS: Fails(C.PROVIDER_ERROR, paid=3),
    },
    "openai": OPENAI,
    "openai with a key for repeats": {**OPENAI, **FINDABLE},
    "localai": {**OPENAI, **ADDRESSES},
    "comfyui": COMFYUI,
    "comfyui before 0.26": COMFYUI,
    "fal": {
        **COMMON,
        **ADDRESSES,
        **OPERATIONS,
        B.FILTER_INPUT: Fails(C.CONTENT_FILTERED, "unknown", "input_prompt"),
        B.FILTER_OUTPUT: Fails(C.CONTENT_FILTERED, "unknown", "output"),
        B.FILTER_PARTIAL: Done(count=1, partial="content_filtered"),
        B.NO_MEDIA: Fails(C.NO_MEDIA, "no", "output"),
        # 5xx are not billed.
        B.FAILS: Fails(C.TIMEOUT, paid=3),
    },
    "replicate": {
        **COMMON,
        **ADDRESSES,
        **OPERATIONS,
        **FINDABLE,
        B.FILTER_OUTPUT: Fails(C.CONTENT_FILTERED, "unknown", "output"),
        B.FILTER_PARTIAL: Done(count=1, partial="content_filtered"),
        B.NO_MEDIA: Fails(C.NO_MEDIA, "yes", "output"),
        B.FAILS: Fails(C.PROVIDER_ERROR, "unknown"),
    },
    "bfl": {
        **COMMON,
        **ADDRESSES,
        **OPERATIONS,
        B.FILTER_INPUT: Fails(C.CONTENT_FILTERED, "no", "input_prompt"),
        B.FILTER_OUTPUT: Fails(C.CONTENT_FILTERED, "no", "output"),
        B.FILTER_PARTIAL: Done(paid=2, count=1, partial="content_filtered"),
        B.NO_MEDIA: Fails(C.NO_MEDIA, "unknown", "output"),
        B.FAILS: Fails(C.PROVIDER_ERROR, paid=3),
    },
}


ROWS = [
    pytest.param(name, behaviour, ending, id=f"{name}: {behaviour.value}")
    for name, behaviours in TABLE.items()
    for behaviour, ending in behaviours.items()
]


@pytest.mark.parametrize(("name", "behaviour", "expected"), ROWS)
async def test_an_order_ends_as_stated_and_is_paid_for_once(
    stage: Open, name: str, behaviour: Behaviour, expected: Done | Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await stage(name, behaviour)
    opened.adapter.api.submit_seconds = 0.4 if behaviour is B.LOST_ANSWER else 30.0
    asked = 2 if behaviour is B.FILTER_PARTIAL else 1
    warnings: list[str] = []
    monkeypatch.setattr(log, "warning", lambda event, **about: warnings.append(event))

    ending = await opened.drive(count=asked)

    assert len(opened.fake.ledger.paid) == expected.paid
    assert KEY not in str(ending.operations)
    assert bool(warnings) is (behaviour is B.UNKNOWN_STATUS)
    assert len(ending.running) == ROUNDS.get(behaviour, 0)
    assert any(answer.trouble for answer in ending.running) is (behaviour is B.POLL_TROUBLE)
    if behaviour is B.PRIVATE_REDIRECT:
        assert ending.failure is not None
        assert ending.failure.reason == "url_forbidden_address"
    if isinstance(expected, Done):
        is_done(ending, expected, asked)
    else:
        fails(ending, expected)


def is_done(ending: Ending, expected: Done, asked: int) -> None:
    assert ending.failure is None
    assert [file.index for file in ending.files] == list(range(1, expected.count + 1))
    assert all(file.size_bytes == file.path.stat().st_size > 0 for file in ending.files)
    assert ending.metadata["model_name"]
    if expected.partial is None:
        assert "partial" not in ending.metadata
    else:
        told = ending.metadata["partial"]
        assert (told["asked"], told["made"], told["missing"][0]["code"]) == (asked, expected.count, expected.partial)
    if expected.waits is not None:
        assert expected.waits in ending.pauses


def fails(ending: Ending, expected: Fails) -> None:
    failure = ending.failure
    assert failure is not None
    assert not ending.files
    assert (failure.code, failure.charged, failure.stage) == (expected.code, expected.charged, expected.stage)
    assert KEY not in failure.model_dump_json()
    assert failure.provider_words or failure.code in (C.PROVIDER_ERROR, C.NO_MEDIA)
