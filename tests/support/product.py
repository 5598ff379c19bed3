"""The running product as tests meet it: over HTTP, on its topics and in its rows."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from contracts.ids import new_id
from sorami.local.identity import USER
from sorami.local.stack import Stack
from tests.support.objects import keys_of

SECRET = "a-secret-for-tests"
TERMINAL = ("COMPLETED", "FAILED", "CANCELLED")


@dataclass(frozen=True)
class Frame:
    """One server-sent event."""

    id: str | None
    event: str
    data: Any


async def frames(response: httpx.Response) -> AsyncIterator[Frame]:
    """Read server-sent events as a browser does."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line == "":
            if "data" in fields:
                yield Frame(fields.get("id"), fields.get("event", "message"), json.loads(fields["data"]))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")


class Person:
    """Somebody with a token of their own."""

    def __init__(self, product: "Product", subject: str, **claims: Any) -> None:
        self.subject = subject
        self.http = httpx.AsyncClient(
            base_url=product.url,
            headers={"Authorization": f"Bearer {product.stack.token(subject, **claims)}"},
            timeout=httpx.Timeout(30, read=60),
        )

    async def ask(self, kind: str = "image", **body: Any) -> str:
        """Ask for media and return the job's id."""
        body = {"prompt": "Un chat mignon", "model": "instant"} | body
        answer = await self.http.post(f"/api/{kind}s/generate", json=body)
        assert answer.status_code == 202, answer.text
        job_id: str = answer.json()["job_id"]
        return job_id

    async def status(self, job_id: str, kind: str = "image") -> dict[str, Any]:
        answer = await self.http.get(f"/api/{kind}s/{job_id}/status")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def ended(self, job_id: str, kind: str = "image", within: float = 60.0) -> list[Frame]:
        """Watch a job to its end and return what the stream said; reconnects like a browser."""
        seen: list[Frame] = []
        async with asyncio.timeout(within):
            while not seen or seen[-1].data["status"] not in TERMINAL:
                headers = {"Last-Event-ID": seen[-1].id} if seen and seen[-1].id else {}
                try:
                    async with self.http.stream("GET", f"/api/{kind}s/{job_id}/events", headers=headers) as answer:
                        if answer.status_code == 204:
                            break
                        if answer.status_code == 200:
                            seen += [frame async for frame in frames(answer)]
                            continue
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.2)
        return seen

    async def user_id(self) -> str:
        answer = await self.http.get("/api/me")
        found: str = answer.json()["user_id"]
        return found


class Product:
    """The whole stack, with helpers that read its rows and speak as a backend."""

    def __init__(self, stack: Stack, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.stack = stack
        self.pool = pool
        self._people: list[Person] = []

    @property
    def url(self) -> str:
        return self.stack.env["SORAMI_URL"]

    def person(self, subject: str | None = None, **claims: Any) -> Person:
        """Somebody new, or of this subject; `claims` stand in the token, such as those of an organisation."""
        person = Person(self, subject or f"user_{new_id()}", **claims)
        self._people.append(person)
        return person

    def operator(self) -> Person:
        """Whoever runs this machine's system."""
        return self.person(USER)

    async def backend_says(self, kind: str, body: Any, secret: str | None = SECRET) -> httpx.Response:
        """Post to the completion route as the seeds' backend does."""
        headers = {"X-Webhook-Secret": secret} if secret is not None else {}
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            return await client.post(f"/api/webhooks/{kind}-completion", json=body, headers=headers)

    async def row(self, statement: str, *values: Any) -> Any:
        return await self.pool.fetchrow(statement, *values)

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        return list(await self.pool.fetch(statement, *values))

    async def object_keys(self, prefix: str) -> list[str]:
        """Return the keys of the bucket that begin with `prefix`."""
        return await keys_of(self.stack.env, prefix)

    async def until(self, statement: str, *values: Any, within: float = 30.0) -> Any:
        """Return the first row a statement finds, looking again until it does."""
        async with asyncio.timeout(within):
            while True:
                try:
                    row = await self.pool.fetchrow(statement, *values)
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    row = None
                if row is not None:
                    return row
                await asyncio.sleep(0.05)

    async def statuses(self, job_ids: Iterable[str]) -> dict[str, str]:
        rows = await self.pool.fetch("SELECT id, status FROM sorami.jobs WHERE id = ANY($1::text[])", list(job_ids))
        return {row["id"]: row["status"] for row in rows}

    async def close(self) -> None:
        for person in self._people:
            await person.http.aclose()
        await self.pool.close()
