"""Whatever JSON a provider answers, an adapter ends typed: no answer is trusted to have a shape."""

import asyncio
import base64
import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.generator.providers.base import Finished, Operation, ProviderFailed, Running, Submitted
from services.generator.providers.instant import instant_png
from services.generator.providers.remote.api import Answer
from tests.support.providers.setups import SETUPS, order_for

PICTURE = base64.b64encode(instant_png("x")).decode()
BASE = "http://127.0.0.1:9"
STATE = {
    "model": "m",
    "kind": "image",
    "asked": 1,
    "at": 0,
    "polling_url": f"{BASE}/p",
    "status_url": f"{BASE}/s",
    "response_url": f"{BASE}/r",
}
# Answers as documented, to a submit and to polls; each is then spoiled in one place.
RECORDED: Mapping[str, list[Any]] = {
    "gemini": [
        {
            "candidates": [
                {
                    "content": {"parts": [{"text": "a"}, {"inlineData": {"mimeType": "image/png", "data": PICTURE}}]},
                    "finishReason": "STOP",
                }
            ],
            "promptFeedback": {"blockReason": "OTHER"},
            "usageMetadata": {},
        },
        {"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED", "details": [{"violations": [{}]}]}},
    ],
    "veo": [
        {"name": "models/v/operations/o"},
        {
            "done": True,
            "response": {
                "generateVideoResponse": {
                    "generatedSamples": [{"video": {"uri": "https://x/v"}}],
                    "raiMediaFilteredCount": 1,
                    "raiMediaFilteredReasons": ["r"],
                }
            },
        },
        {"done": True, "error": {"code": 3, "message": "m"}},
    ],
    "openai": [
        {"data": [{"b64_json": PICTURE, "revised_prompt": "p"}], "usage": {}},
        {"data": [{"url": "https://x/y.png"}]},
        {"error": {"message": "m", "code": "moderation_blocked", "moderation_details": {"moderation_stage": "output"}}},
    ],
    "comfyui": [
        {"prompt_id": "op", "node_errors": {}},
        {
            "op": {
                "outputs": {"9": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}},
                "status": {"status_str": "success", "messages": []},
            },
            "queue_running": [[1, "op"]],
            "queue_pending": [],
        },
        {"op": {"status": {"status_str": "error", "messages": [["execution_error", {"exception_type": "E"}]]}}},
        {"error": {"type": "t"}, "node_errors": {"4": {"errors": [{"type": "t"}]}}},
    ],
    "fal": [
        {"request_id": "r", "status_url": f"{BASE}/s", "response_url": f"{BASE}/r", "cancel_url": f"{BASE}/c"},
        {"status": "COMPLETED", "images": [{"url": "https://x/y.png"}], "has_nsfw_concepts": [False], "seed": 1},
        {"status": "COMPLETED", "error": "e", "error_type": "request_timeout"},
        {"detail": [{"loc": ["body", "prompt"], "msg": "m", "type": "content_policy_violation"}]},
    ],
    "replicate": [
        {"id": "p", "status": "succeeded", "output": ["https://x/y.png"], "logs": "", "metrics": {"predict_time": 1}},
        {"id": "p", "status": "failed", "error": "E005", "input": {}, "results": [{"input": {}}], "next": None},
    ],
    "bfl": [
        {"id": "t", "polling_url": f"{BASE}/p"},
        {"id": "t", "status": "Ready", "result": {"sample": "https://x/y.png", "seed": 1}},
        {"id": "t", "status": "Pending", "result": None, "progress": 0.5, "details": {}},
    ],
    "flask": [{"job_id": "j", "status": "PENDING", "data": {"job_id": "j"}}],
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 5)
    | st.text(max_size=5)
    | st.sampled_from(["NSFW", "error", "4", 1e300]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["url", "id", "type"]), inner, max_size=2)
    ),
    max_leaves=4,
)
EXAMPLES = 60
STATUSES = st.sampled_from([200, 200, 200, 201, 202, 204, 301, 400, 401, 404, 409, 422, 429, 500, 502, 503, 504, 529])


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every holder and key inside a JSON value."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


def spoil(data: st.DataObject, body: Any) -> Any:
    """Replace one part of the body, at any depth, by something else; or nothing."""
    whole = {"body": copy.deepcopy(body)}
    holder, key = data.draw(st.sampled_from([*places(whole), (None, None)]))
    if holder is not None:
        holder[key] = data.draw(JSON)
    return whole["body"]


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_any_answer_ends_typed(name: str, tmp_path: Path) -> None:
    async def drive(data: st.DataObject) -> None:
        adapter = SETUPS[name].build(BASE, tmp_path)

        async def answer(*_: object, **__: object) -> Answer:
            body = spoil(data, data.draw(st.sampled_from(RECORDED[name])))
            return Answer(data.draw(STATUSES), {}, body, json.dumps(body)[:200])

        adapter.api.submit = answer  # type: ignore[method-assign]
        adapter.api.ask = answer  # type: ignore[method-assign]
        order = order_for(SETUPS[name], tmp_path)
        for call in (lambda: adapter.submit(order, "key"), lambda: adapter.poll(Operation("op", STATE))):
            try:
                outcome = await call()
            except ProviderFailed as error:
                assert error.failure.message
                continue
            assert isinstance(outcome, Submitted | Running | Finished)
            if isinstance(outcome, Finished):
                assert outcome.media
            if isinstance(outcome, Submitted):
                json.dumps(dict(outcome.operation.state))
        assert await adapter.cancel(Operation("op", STATE | {"cancel_url": f"{BASE}/c"})) in (True, False)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        asyncio.run(drive(data))

    run()
