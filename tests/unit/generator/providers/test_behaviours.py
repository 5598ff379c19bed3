"""Every adapter through every behaviour of its fake: each ends as stated, and is paid for as often as stated."""

import pytest

from services.generator.providers.remote.http_provider import log
from tests.support.providers.behaviours import ROUNDS, Behaviour
from tests.support.providers.driver import Ending
from tests.support.providers.fake import KEY
from tests.support.providers.setups import SETUPS
from tests.support.providers.table import LIVE, TABLE, B, C, Done, Fails, Never, Waits
from tests.unit.generator.providers.conftest import Open


def test_no_cell_is_missing() -> None:
    assert TABLE.keys() == SETUPS.keys()
    for name, row in TABLE.items():
        assert set(row) == set(Behaviour), f"{name} says nothing of {set(Behaviour) - set(row)}"
        assert all(cell.why for cell in row.values() if isinstance(cell, Never))


DRIVEN = [
    pytest.param(name, behaviour, id=f"{name}: {behaviour.value}")
    for name, behaviour in LIVE
    if not isinstance(TABLE[name][behaviour], Waits)
]


@pytest.mark.parametrize(("name", "behaviour"), DRIVEN)
async def test_an_order_ends_as_stated_and_is_paid_for_once(
    stage: Open, name: str, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = TABLE[name][behaviour]
    assert isinstance(expected, Done | Fails)
    opened = await stage(name, behaviour)
    opened.adapter.api.submit_seconds = 0.4 if behaviour is B.LOST_ANSWER else 30.0
    asked = 2 if behaviour is B.FILTER_PARTIAL else 1
    warnings: list[str] = []
    monkeypatch.setattr(log, "warning", lambda event, **about: warnings.append(event))

    ending = await opened.drive(count=asked)

    assert len(opened.fake.ledger.paid) == expected.paid
    assert KEY not in str(ending.operations)
    assert bool(warnings) is (behaviour is B.UNKNOWN_STATUS)
    assert len(ending.running) == (0 if opened.provider.traits.synchronous else ROUNDS.get(behaviour, 0))
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
