"""ComfyUI: a workflow with our fields filled in, found again by a prompt id of ours, in its queue and history."""

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from contracts.failures import FailureCode
from contracts.request_templates import fields_in, fill
from contracts.workflows import Workflow, read_workflows
from services.generator.providers.base import (
    Finished,
    MediaRef,
    Operation,
    Order,
    ProviderFailed,
    Running,
    Submitted,
    Traits,
)
from services.generator.providers.remote.api import Answer, Api, dig, dig_list, dig_text
from services.generator.providers.remote.failures import by_status, failed, unknown_outcome
from services.generator.providers.remote.http_provider import HttpProvider
from services.generator.providers.remote.orders import any_seed, template_values
from services.generator.providers.remote.outcomes import finish, metadata, upload
from services.runtime.json_folder import read_json_folder

_SPACE: Final = uuid.UUID("7c0f5b1e-6d0e-5a0c-9a9c-2b5f3c1d7e11")
_OF_THE_WORKFLOW: Final = frozenset({"value_not_in_list", "missing_node_type"})
"""Errors that the operator mends: a model or a node is not installed."""
_FILMS: Final = (".mp4", ".webm", ".mov", ".mkv")


class ComfyUI(HttpProvider):
    """One prompt at a time, on a machine of the operator's: nothing is charged."""

    name: str = "comfyui"
    traits = Traits(findable=True, cancellable=True)
    poll_every: float = 1.0

    def __init__(self, api: Api, workflows: Mapping[str, Workflow]) -> None:
        super().__init__(api, list(workflows))
        self._workflows = workflows

    def at_once(self, order: Order) -> int:
        """All when the graph has a count, else one."""
        return order.count if "count" in fields_in(self._workflows[self.model_of(order)].graph) else 1

    async def submit(self, order: Order, submit_key: str) -> Submitted:
        """Queue the workflow under an id made from the submit key."""
        workflow = self._workflows[self.model_of(order)]
        values = template_values(order, seed=any_seed(order, submit_key), input_image=await self._upload(order))
        prompt_id = _prompt_id(submit_key)
        body = {"prompt": fill(workflow.graph, values), "prompt_id": prompt_id, "client_id": prompt_id}
        answer = await self.api.submit(self.api.url("prompt"), json=body)
        if not answer.ok:
            raise self._refused(answer)
        submitted = self._submitted(order, answer.at("prompt_id"))
        if answer.at("node_errors"):
            await self.cancel(submitted.operation)
            words = self.api.scrub(json.dumps(answer.at("node_errors")))
            raise failed(FailureCode.INVALID_INPUT, "comfyui dropped a part of the workflow", words=words)
        return submitted

    async def find(self, order: Order, submit_key: str, since: datetime) -> Submitted | None:
        """Look in the queue and the history; after a restart of ComfyUI both are empty and the work is gone too."""
        prompt_id = _prompt_id(submit_key)
        queue = await self.api.ask("GET", self.api.url("queue"))
        history = await self.api.ask("GET", self.api.url(f"history/{prompt_id}"))
        for answer in (queue, history):
            if not answer.ok:
                raise by_status(self.name, answer.status, answer.words, answer.headers)
        known = prompt_id in {*_queued(queue, "queue_running"), *_queued(queue, "queue_pending")}
        return self._submitted(order, prompt_id) if known or history.at(prompt_id) is not None else None

    async def poll(self, operation: Operation) -> Running | Finished:
        """Ask the history, which knows finished prompts only, and the queue for the others."""
        entry = await self._history(operation)
        if isinstance(entry, Running):
            return entry
        if entry is None:
            queue = await self.look(self.api.url("queue"))
            if isinstance(queue, Running):
                return queue
            if operation.id in {*_queued(queue, "queue_running"), *_queued(queue, "queue_pending")}:
                return Running(self.poll_every)
            # It may have moved from the queue to the history between the two questions.
            entry = await self._history(operation)
            if isinstance(entry, Running):
                return entry
            if entry is None:
                raise _lost("comfyui no longer knows the prompt; it was restarted")
        return self._read(operation, entry)

    async def cancel(self, operation: Operation) -> bool:
        """Cancel this prompt alone: an interrupt without its id would hit whatever runs."""
        try:
            answer = await self.api.ask("POST", self.api.url(f"api/jobs/{operation.id}/cancel"))
            if answer.ok:
                return answer.at("cancelled") is True
            return await self._cancel_as_before(operation.id)
        except ProviderFailed:
            return False

    async def _cancel_as_before(self, prompt_id: str) -> bool:
        """Versions before 0.26 have no route for one job and say nothing of success."""
        queue = await self.api.ask("GET", self.api.url("queue"))
        if prompt_id in _queued(queue, "queue_pending"):
            return (await self.api.ask("POST", self.api.url("queue"), json={"delete": [prompt_id]})).ok
        if prompt_id in _queued(queue, "queue_running"):
            return (await self.api.ask("POST", self.api.url("interrupt"), json={"prompt_id": prompt_id})).ok
        return False

    async def _history(self, operation: Operation) -> dict[str, Any] | Running | None:
        answer = await self.look(self.api.url(f"history/{operation.id}"))
        if isinstance(answer, Running):
            return answer
        if not answer.ok:
            return self.troubled(answer)
        entry = answer.at(operation.id)
        return entry if isinstance(entry, dict) else None

    def _read(self, operation: Operation, entry: dict[str, Any]) -> Running | Finished:
        status = dig(entry, "status", "status_str")
        if status == "error":
            raise self._ended(entry)
        if status != "success":
            return self.still_running(status, ())
        kind = str(operation.state.get("kind"))
        media = [MediaRef(index, kind, url=url) for index, url in enumerate(self._urls(entry, kind), 1)]
        about = metadata(str(operation.state.get("model")), seed=operation.state.get("seed"))
        return finish(self.name, media, asked=int(operation.state["asked"]), about=about, no_media_charged="no")

    def _urls(self, entry: dict[str, Any], kind: str) -> list[str]:
        """Addresses of the kept files; of the previews when a workflow keeps none."""
        files = [item for item in _files(entry) if item["filename"].lower().endswith(_FILMS) == (kind == "video")]
        kept = [item for item in files if item.get("type") == "output"] or files
        names = ("filename", "subfolder", "type")
        return [self.api.url("view") + "?" + urlencode({n: item[n] for n in names if n in item}) for item in kept]

    def _ended(self, entry: dict[str, Any]) -> ProviderFailed:
        messages = dig_list(entry, "status", "messages")
        told = {dig_text(message, 0): dig(message, 1, default={}) for message in messages}
        if "execution_interrupted" in told:
            return failed(FailureCode.CANCELLED, "the prompt was interrupted at comfyui")
        error = told.get("execution_error", {})
        kind = str(dig(error, "exception_type", default=""))
        words = self.api.scrub(f"{kind}: {dig(error, 'exception_message', default='')}")
        code = FailureCode.OVERLOADED if "OutOfMemory" in kind else FailureCode.PROVIDER_ERROR
        return failed(code, "the workflow failed at comfyui", words=words)

    def _refused(self, answer: Answer) -> ProviderFailed:
        if answer.status != 400:
            return by_status(self.name, answer.status, answer.words, answer.headers)
        nodes = _values(answer.at("node_errors"))
        kinds = {dig_text(error, "type") for node in nodes for error in dig_list(node, "errors")}
        kinds.add(answer.text_at("error", "type"))
        words = self.api.scrub(json.dumps(answer.body))
        if kinds & _OF_THE_WORKFLOW:
            message = "the workflow needs a model or a node that is not installed at comfyui"
            return failed(FailureCode.PROVIDER_ERROR, message, words=words, retryable=False)
        return failed(FailureCode.INVALID_INPUT, "comfyui refused the workflow", words=words)

    def _submitted(self, order: Order, prompt_id: Any) -> Submitted:
        if not isinstance(prompt_id, str):
            raise unknown_outcome("comfyui accepted the workflow and named no prompt id")
        state = {"kind": order.kind, "model": order.model, "asked": order.count, "seed": order.seed}
        return Submitted(Operation(prompt_id, state), self.poll_every)

    async def _upload(self, order: Order) -> str | None:
        if order.input_image is None:
            return None
        name = f"sorami_{order.job_id}{order.input_image.suffix}"
        _, content, content_type = await upload(order.input_image)
        source = (name, content, content_type)
        form = {"type": "input", "overwrite": "true"}
        answer = await self.api.ask("POST", self.api.url("upload/image"), data=form, files={"image": source})
        if not answer.ok:
            raise by_status(self.name, answer.status, answer.words, answer.headers)
        # The file may have been renamed.
        return str(answer.at("name", default=name))


def _prompt_id(submit_key: str) -> str:
    return str(uuid.uuid5(_SPACE, submit_key))


def _queued(answer: Answer, which: str) -> set[str]:
    return {str(dig(item, 1)) for item in answer.list_at(which)}


def _files(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every file of every node: films stand under `images` (core nodes) or `gifs` (VHS nodes)."""
    for node in _values(dig(entry, "outputs")):
        for group in _values(node):
            for item in group if isinstance(group, list) else ():
                if dig_text(item, "filename"):
                    yield item


def _values(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else []


def _lost(message: str) -> ProviderFailed:
    return failed(FailureCode.PROVIDER_ERROR, message, retryable=True)


def build(base_url: str, folder: Path, headers: Mapping[str, str]) -> ComfyUI:
    """Wire the adapter; raises ValueError for a file that is no workflow."""
    return ComfyUI(
        Api("comfyui", base_url, headers=headers, secrets=headers.values()), read_workflows(read_json_folder(folder))
    )
