"""The HTTP API as the command line uses it: create, watch to the end, fetch the result."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from contracts.kinds import KINDS

TERMINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED"})
PLURALS = {name: kind.plural for name, kind in KINDS.items()}
AGAIN_AFTER = 0.3


class ApiError(Exception):
    """The API refused, or is not there; the message is for people."""


@dataclass(frozen=True)
class Update:
    """Where a job stands."""

    status: str
    progress: int
    stage: str | None
    message: str
    error: str | None

    @property
    def is_over(self) -> bool:
        return self.status in TERMINAL

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Update":
        return cls(
            str(body["status"]),
            int(body.get("progress") or 0),
            body.get("stage"),
            str(body.get("message") or ""),
            body.get("error_message"),
        )


class Api:
    """One connection to a running Sorami, as one person."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(30.0, read=60.0),
            # A local address: a proxy of the shell would only be in the way.
            trust_env=not url.startswith(("http://127.0.0.1", "http://localhost")),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def create(self, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
        return await self._json("POST", f"/api/{PLURALS[kind]}/generate", json=fields)

    async def status(self, kind: str, job_id: str) -> Update:
        return Update.of(await self._json("GET", f"/api/{PLURALS[kind]}/{job_id}/status"))

    async def result(self, kind: str, job_id: str) -> dict[str, Any]:
        return await self._json("GET", f"/api/{PLURALS[kind]}/{job_id}/result")

    async def call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """Any route that answers an object, or nothing; raises ApiError."""
        return await self._json(method, path, **request)

    async def watch(self, kind: str, job_id: str) -> AsyncIterator[Update]:
        """Every move to the end: by the event stream, and by asking while there is none."""
        last_id: str | None = None
        while True:
            async for number, update in self._stream(kind, job_id, last_id):
                last_id = number
                yield update
                if update.is_over:
                    return
            update = await self.status(kind, job_id)
            yield update
            if update.is_over:
                return
            # The stream's server is starting or went away: what happens meanwhile is not missed.
            await asyncio.sleep(AGAIN_AFTER)

    async def _stream(self, kind: str, job_id: str, last_id: str | None) -> AsyncIterator[tuple[str | None, Update]]:
        headers = {"Accept": "text/event-stream"}
        if last_id is not None:
            headers["Last-Event-ID"] = last_id
        try:
            path = f"/api/{PLURALS[kind]}/{job_id}/events"
            async with self._http.stream("GET", path, headers=headers) as answer:
                if answer.status_code != 200:
                    return
                number = last_id
                async for line in answer.aiter_lines():
                    name, _, value = line.partition(":")
                    if name == "id":
                        number = value.strip()
                    elif name == "data" and (body := json.loads(value)).get("status"):
                        yield number, Update.of(body)
        except httpx.HTTPError:
            return

    async def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise ApiError(f"{self._url} does not answer ({error}); is the stack up? make up") from error
        if answer.is_error:
            raise ApiError(_words(answer))
        body: dict[str, Any] = answer.json() if answer.content else {}
        return body


def _words(answer: httpx.Response) -> str:
    """A problem document in one line."""
    try:
        problem = answer.json()
    except ValueError:
        return f"the server answered {answer.status_code}"
    details = [str(problem.get("detail") or problem.get("title") or "")]
    details += [str(fault.get("detail", "")) for fault in problem.get("errors", []) if isinstance(fault, dict)]
    return f"{answer.status_code} {problem.get('code', '')}: {'; '.join(dict.fromkeys(filter(None, details)))}"


def links(kind: str, result: dict[str, Any]) -> list[str]:
    return [str(item["fileUrl"]) for item in result.get(PLURALS[kind], [])]
