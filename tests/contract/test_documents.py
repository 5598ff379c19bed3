"""The committed documents say what the code does, and events only ever grow."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.compatibility import breaks
from contracts.events import EVENTS, Event
from contracts.http_compatibility import document_breaks
from contracts.topics import TOPICS
from sorami.documents import FOLDER, RELEASED, documents, event_schema, notifier_openapi, openapi, schema_name

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(documents()))
def test_a_committed_document_is_what_the_code_makes(name: str) -> None:
    committed = (FOLDER / name).read_text(encoding="utf-8")
    assert committed == documents()[name], "run `make contracts` and commit what it wrote"


@pytest.mark.parametrize("name", sorted(path.name for path in RELEASED.glob("*.v*.json")))
def test_an_event_is_an_addition_to_its_released_schema(name: str) -> None:
    event = next((event for event in EVENTS if schema_name(event) == name), None)
    assert event is not None, "a released event is gone; readers still expect it"
    released = json.loads((RELEASED / name).read_text(encoding="utf-8"))
    assert breaks(released, event_schema(event)) == []


def test_the_api_is_an_addition_to_its_released_document() -> None:
    released = json.loads((RELEASED / "openapi.json").read_text(encoding="utf-8"))
    assert document_breaks(released, openapi()) == []


@pytest.mark.parametrize("event", EVENTS, ids=schema_name)
def test_a_schema_is_a_json_schema(event: type[Event]) -> None:
    Draft202012Validator.check_schema(event_schema(event))


def test_every_topic_has_its_event_and_stands_in_asyncapi() -> None:
    channels = json.loads(documents()["asyncapi.json"])["channels"]
    assert {channel["address"] for channel in channels.values()} == {topic.name for topic in TOPICS}
    assert {event.TOPIC for event in EVENTS} == set(TOPICS)


def test_everything_that_is_sent_is_heard_by_somebody_or_meant_for_others() -> None:
    document = json.loads(documents()["asyncapi.json"])
    heard = {
        o["channel"]["$ref"].rpartition("/")[2] for o in document["operations"].values() if o["action"] == "receive"
    }
    # Notifications are for whoever consumes our topics; the bell reads the rows.
    assert {channel for channel in document["channels"] if channel not in heard} == {"notification_created"}


def _changed(change: str) -> dict[str, Any]:
    schema = copy.deepcopy(event_schema(EVENTS[0]))
    match change:
        case "field gone":
            del schema["properties"]["prompt"]
        case "type changed":
            schema["properties"]["count"]["type"] = "string"
        case "new required":
            schema["properties"]["colour"] = {"type": "string"}
            schema["required"].append("colour")
        case "now optional":
            schema["required"].remove("prompt")
        case "now null":
            schema["properties"]["prompt"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    return schema


@pytest.mark.parametrize("change", ["field gone", "type changed", "new required", "now optional", "now null"])
def test_a_change_that_breaks_readers_is_seen(change: str) -> None:
    assert len(breaks(event_schema(EVENTS[0]), _changed(change))) == 1


def test_a_new_optional_field_breaks_nobody() -> None:
    schema = copy.deepcopy(event_schema(EVENTS[0]))
    schema["properties"]["colour"] = {"type": "string", "default": "blue"}
    assert breaks(event_schema(EVENTS[0]), schema) == []


CREATE = ("/api/images/generate", "post")


def _changed_api(change: str) -> dict[str, Any]:
    document = copy.deepcopy(openapi())
    create = document["paths"][CREATE[0]][CREATE[1]]
    body = create["requestBody"]["content"]["application/json"]["schema"]
    match change:
        case "route gone":
            del document["paths"][CREATE[0]]
        case "field gone":
            del body["properties"]["style"]
        case "field required":
            body["required"].append("style")
        case "value gone":
            body["properties"]["quality"]["enum"].remove("high")
        case "parameter required":
            create.setdefault("parameters", []).append({"in": "header", "name": "X-New", "required": True})
        case "answer gone":
            del create["responses"]["202"]
        case "answer's field gone":
            del document["components"]["schemas"]["JobStatusBody"]["properties"]["progress"]
    return document


@pytest.mark.parametrize(
    "change",
    ["route gone", "field gone", "field required", "value gone", "parameter required", "answer gone"],
)
def test_a_change_that_breaks_clients_is_seen(change: str) -> None:
    assert len(document_breaks(openapi(), _changed_api(change))) == 1


def test_an_answer_that_lost_a_field_is_seen_wherever_it_is_given() -> None:
    assert len(document_breaks(openapi(), _changed_api("answer's field gone"))) >= 4


def test_more_fields_and_routes_break_no_client() -> None:
    document = copy.deepcopy(openapi())
    document["paths"]["/api/new"] = {"get": {"responses": {"200": {"description": "New"}}}}
    status = document["components"]["schemas"]["JobStatusBody"]
    status["properties"]["colour"] = {"type": "string"}
    status["required"].append("colour")
    assert document_breaks(openapi(), document) == []


def test_a_shape_of_the_notifiers_with_a_name_of_the_gateways_is_the_same_shape() -> None:
    alone: dict[str, Any] = {"paths": {}, "components": {"schemas": {}}}
    gateways = openapi(lambda: copy.deepcopy(alone))["components"]["schemas"]
    notifiers = notifier_openapi()["components"]["schemas"]
    assert {name: notifiers[name] for name in notifiers.keys() & gateways.keys()} == {
        name: gateways[name] for name in notifiers.keys() & gateways.keys()
    }


def test_no_lock_file_holds_an_address() -> None:
    locks = [path for pattern in ("**/*.lock", "**/package-lock.json") for path in ROOT.glob(pattern)]
    tracked = [path for path in locks if not {".venv", "node_modules", ".sorami"} & set(path.parts)]
    assert len(tracked) >= 8
    assert [str(path.relative_to(ROOT)) for path in tracked if "://" in path.read_text(encoding="utf-8")] == []
