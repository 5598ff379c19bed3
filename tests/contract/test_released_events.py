"""Events as the last release wrote them (`tests/golden/events`, by its own code) are read by today's code.

Whoever moves that line (`python -m sorami.documents --release`) adds records of that release; none is ever edited.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.cloudevents import read_event
from contracts.events import EVENT_OF_TOPIC, event_id
from sorami.documents import RELEASED

WRITTEN = Path(__file__).parents[1] / "golden" / "events"
NAMES = sorted(path.name for path in RELEASED.glob("*.v*.json"))


def records(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((WRITTEN / name).read_text(encoding="utf-8"))
    return found


def read(name: str, record: dict[str, Any]) -> dict[str, Any]:
    topic = name.rpartition(".v")[0]
    value = json.dumps(record["value"]).encode()
    event = read_event(topic, record["key"].encode(), value, record["headers"])
    assert type(event) is EVENT_OF_TOPIC[topic]
    # Whatever was told under this id before the upgrade is the same event after it.
    assert event_id(event) == record["headers"]["ce_id"]
    found: dict[str, Any] = event.model_dump(mode="json", exclude_none=True)
    return found


def lost(written: Any, found: Any, place: str = "") -> list[str]:
    """Return what was written and is not read, by its place."""
    if isinstance(written, dict):
        inner = [lost(value, found.get(name), f"{place}.{name}") for name, value in written.items()]
        return [one for several in inner for one in several]
    if isinstance(written, list):
        inner = [lost(one, other, f"{place}[]") for one, other in zip(written, found, strict=True)]
        return [one for several in inner for one in several]
    return [] if found == written else [f"{place}: {written!r} was read as {found!r}"]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_release_wrote_is_read_whole(name: str) -> None:
    schema = Draft202012Validator(json.loads((RELEASED / name).read_text(encoding="utf-8")))
    assert records(name)
    for record in records(name):
        schema.validate(record["value"])
        assert lost(record["value"], read(name, record)) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_field_of_the_release_stands_in_what_it_wrote(name: str) -> None:
    fields = json.loads((RELEASED / name).read_text(encoding="utf-8"))["properties"]
    assert set(fields) == {field for record in records(name) for field in record["value"]}


def test_what_is_lost_on_the_way_is_seen() -> None:
    written = {"a": 1, "b": [{"c": 2}]}
    assert lost(written, {"a": 1, "b": [{"c": 2, "new": 3}]}) == []
    assert lost(written, {"a": 1, "b": [{}]}) == [".b[].c: 2 was read as None"]
