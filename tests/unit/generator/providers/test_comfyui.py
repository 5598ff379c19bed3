"""ComfyUI: workflows, ids of ours, and cancelling one prompt alone."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.failures import FailureCode
from contracts.workflows import Workflow, read_workflows
from services.generator.providers.base import ProviderFailed, Submitted
from services.generator.providers.remote.comfyui import ComfyUI
from services.runtime.json_folder import read_json_folder
from tests.support.providers.behaviours import Behaviour
from tests.support.providers.setups import GRAPH
from tests.unit.generator.providers.conftest import Open, Stage


async def submitted(opened: Stage, key: str = "key") -> Submitted:
    answer = await opened.provider.submit(opened.order(), key)
    assert isinstance(answer, Submitted)
    return answer


async def test_the_workflow_is_filled_in_and_typed(stage: Open, tmp_path: Path) -> None:
    opened = await stage("comfyui")
    source = tmp_path / "input.png"
    source.write_bytes(b"pixels")
    ending = await opened.drive(count=2, input_image=source, seed=5)
    body = opened.fake.ledger.paid[0].body
    graph = body["prompt"]
    assert graph["5"]["inputs"] == {"width": 1024, "height": 1024, "batch_size": 2}
    assert graph["3"]["inputs"] == {"seed": 5, "latent_image": ["5", 0]}
    assert graph["9"]["inputs"]["filename_prefix"] == "sorami/cm4abc123def456ghi789jklm"
    # Under the name that the server gave it.
    assert graph["7"]["inputs"]["image"] == "1_sorami_cm4abc123def456ghi789jklm.png"
    assert len(ending.files) == 2


async def test_a_workflow_without_a_count_runs_once_an_image(stage: Open) -> None:
    opened = await stage("comfyui")
    graph = {**GRAPH, "5": {"class_type": "EmptyLatentImage", "inputs": {"batch_size": 1}}}
    opened.adapter._workflows = {"flux": Workflow("image", graph)}  # type: ignore[attr-defined]
    ending = await opened.drive(count=3)
    assert len(ending.files) == len(opened.fake.ledger.paid) == 3


async def test_an_order_without_seed_gets_one_so_that_no_cache_answers_empty(stage: Open) -> None:
    opened = await stage("comfyui")
    await submitted(opened, "one")
    await submitted(opened, "two")
    seeds = [submit.body["prompt"]["3"]["inputs"]["seed"] for submit in opened.fake.ledger.paid]
    assert seeds[0] != seeds[1]


@pytest.mark.parametrize("name", ["comfyui", "comfyui before 0.26"])
async def test_a_running_prompt_is_cancelled_and_ends_so(stage: Open, name: str) -> None:
    opened = await stage(name, Behaviour.SLOW)
    operation = (await submitted(opened)).operation
    assert await opened.provider.cancel(operation)
    with pytest.raises(ProviderFailed) as raised:
        await opened.provider.poll(operation)
    assert raised.value.failure.code is FailureCode.CANCELLED


async def test_a_prompt_it_never_saw_is_surely_not_accepted(stage: Open) -> None:
    opened = await stage("comfyui", Behaviour.SLOW)
    await submitted(opened, "another")
    assert await opened.provider.find(opened.order(), "key", datetime.now(UTC)) is None
    assert await opened.provider.find(opened.order(), "another", datetime.now(UTC)) is not None


async def test_what_stops_a_part_of_the_workflow_refuses_it_whole(stage: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = await stage("comfyui")
    accept = opened.fake.accept
    monkeypatch.setattr(opened.fake, "accept", lambda submit: accept(submit) | {"node_errors": {"9": {"errors": []}}})
    with pytest.raises(ProviderFailed) as raised:
        await submitted(opened)
    assert raised.value.failure.code is FailureCode.INVALID_INPUT
    assert all(work.cancelled for work in opened.fake.works.values())


async def test_a_model_that_is_not_installed_is_the_operator_s_error(
    stage: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await stage("comfyui", Behaviour.INVALID)
    errors = {"4": {"errors": [{"type": "value_not_in_list"}], "class_type": "CheckpointLoaderSimple"}}
    refusal = (400, {"error": {"type": "prompt_outputs_failed_validation"}, "node_errors": errors})
    monkeypatch.setattr(type(opened.fake), "refusals", {Behaviour.INVALID: refusal})
    ending = await opened.drive()
    assert ending.failure is not None
    assert (ending.failure.code, ending.failure.retryable) == (FailureCode.PROVIDER_ERROR, False)
    assert "value_not_in_list" in (ending.failure.provider_words or "")


def test_films_are_told_from_images_by_their_names() -> None:
    outputs: dict[str, Any] = {
        "9": {"images": [{"filename": "a.mp4", "subfolder": "v", "type": "output"}], "animated": [True]},
        "10": {"gifs": [{"filename": "b.mp4", "type": "output"}], "images": [{"filename": "c.png", "type": "temp"}]},
    }
    comfy = ComfyUI.__new__(ComfyUI)
    comfy.api = type("At", (), {"url": staticmethod(lambda path: f"http://x/{path}")})()
    films = comfy._urls({"outputs": outputs}, "video")
    assert films == [
        "http://x/view?filename=a.mp4&subfolder=v&type=output",
        "http://x/view?filename=b.mp4&type=output",
    ]
    assert comfy._urls({"outputs": outputs}, "image") == ["http://x/view?filename=c.png&type=temp"]


def test_workflows_are_read_with_their_kind(tmp_path: Path) -> None:
    (tmp_path / "still.json").write_text(json.dumps(GRAPH))
    (tmp_path / "film.json").write_text(json.dumps({"kind": "video", "graph": GRAPH}))
    assert {name: flow.kind for name, flow in read_workflows(read_json_folder(tmp_path)).items()} == {
        "still": "image",
        "film": "video",
    }


@pytest.mark.parametrize(
    "content",
    ["[]", '{"nodes": [], "links": []}', '{"1": {"class_type": "A", "inputs": {"text": "{{wishes}}"}}}', "{"],
)
def test_what_is_no_workflow_is_refused_at_the_start(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(ValueError, match=r"bad\.json"):
        read_workflows(read_json_folder(tmp_path))
