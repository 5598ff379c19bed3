"""The load: somebody who asks for media of all sorts, watches, polls, cancels now and then, and has webhooks sent.

It is as stubborn as a good client: it asks again under the same id until it hears 202, and comes back to its stream
with the last id it saw. What it saw is what the judge judges by.
"""

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.rig import Rig
from tests.support.product import TERMINAL, Frame, Person, frames

REMOTE = "fal-ai/flux/dev"
ORDERS: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (8, "image", {"model": "instant"}),
    (2, "image", {"model": "instant", "num_images": 3}),
    (3, "video", {"model": "instant"}),
    (3, "image", {"model": REMOTE}),
    (1, "image", {"model": "procedural-1", "size": "256x256"}),
)
"""What is asked for: how often, the kind, and the body."""
CANCELLED_OF = 12
"""One job of so many is cancelled as soon as it is accepted."""
ANSWER_WITHIN = 30.0


@dataclass
class Asked:
    """A job that was answered with 202."""

    id: str
    kind: str
    count: int
    prompt: str
    remote: bool
    cancelled: bool = False


@dataclass
class Expected:
    """What a scenario says may happen beside everything's going well."""

    failures: frozenset[str] = frozenset()
    """Codes that jobs may fail with."""
    dead_letters: Counter[str] = field(default_factory=Counter)
    """How many records of each reason it injected."""
    lost_objects: frozenset[str] = frozenset()
    """Keys that the bucket itself forgot, which nothing of ours can bring back."""


class Load:
    """One person's doings during one scenario, the same for the same seed."""

    def __init__(self, rig: Rig, name: str, seed: int) -> None:
        self.rig = rig
        self.name = name
        self.random = random.Random(f"{name}/{seed}")
        self.tag = f"{name.replace('.', '-')}-{seed}-{secrets.token_hex(2)}"
        self.marker = f"PRIVATE-{secrets.token_hex(8)}"
        organization = {"org_id": f"org_{self.tag}", "org_role": "org:admin", "org_slug": self.tag}
        self.person: Person = rig.person(f"user_{self.tag}", **organization)
        self.stranger: Person = rig.person(f"user_{self.tag}-stranger")
        self.user_id = ""
        self.asked: dict[str, Asked] = {}
        self.told: list[Frame] = []
        self.polled: dict[str, list[tuple[str, int]]] = {}
        self.answers: Counter[str] = Counter()
        self.refusals: list[httpx.Response] = []
        self.endpoint: dict[str, Any] = {}
        self.expected = Expected()
        self.urls: Sequence[str] = (rig.product.url,)
        self._number = 0
        self._last_id = ""
        self._watching = asyncio.Event()
        self._line: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._steady: asyncio.Task[None] | None = None
        self._asking: set[asyncio.Task[str]] = set()

    # ---- its life

    async def begin(self) -> None:
        """Sign in, have an endpoint made, and watch."""
        self.rig.at_the_end(self._drop)
        self.user_id = await self.person.user_id()
        await self.stranger.user_id()
        port = self.rig.between("notifier", "receiver").port
        body = {"url": f"http://127.0.0.1:{port}{self.path}"}
        answer = await self.person.http.post("/api/webhook-endpoints", json=body)
        assert answer.status_code == 201, answer.text
        self.endpoint = answer.json()
        self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._poll())]
        # Who opens a stream hears what comes from then on: nothing may have come before.
        async with asyncio.timeout(ANSWER_WITHIN):
            await self._watching.wait()

    @property
    def path(self) -> str:
        """Where its webhooks arrive."""
        return f"/hooks/{self.tag}"

    async def end(self) -> None:
        """Stop asking, then watching."""
        await self.rest()
        await self._drop()

    async def _drop(self) -> None:
        """Stop in the midst of everything, also of a question that nobody may ever answer."""
        tasks = [*self._tasks, *self._asking, *([self._steady] if self._steady else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ---- asking

    def work(self, per_second: float) -> None:
        """Go on asking in the background until `rest`."""
        self._steady = asyncio.create_task(self._ask_steadily(per_second))

    async def rest(self) -> None:
        """Ask for nothing more; what was begun is answered."""
        if self._steady is not None:
            self._steady.cancel()
            self._steady = None
        asking, self._asking = self._asking, set()
        await asyncio.gather(*asking)

    async def _ask_steadily(self, per_second: float) -> None:
        while True:
            asking = asyncio.create_task(self.ask())
            self._asking.add(asking)
            asking.add_done_callback(self._heard)
            await asyncio.sleep(self.random.expovariate(per_second))

    def _heard(self, asking: asyncio.Task[str]) -> None:
        # What failed is kept for `rest`, which raises it.
        if asking.cancelled() or asking.exception() is None:
            self._asking.discard(asking)

    async def ask_many(self, count: int, **body: Any) -> list[str]:
        return list(await asyncio.gather(*(self.ask(**body) for _ in range(count))))

    async def ask(self, kind: str | None = None, *, cancel: bool | None = None, **body: Any) -> str:
        """Ask until it is accepted, and return the id."""
        weights = [weight for weight, _, _ in ORDERS]
        _, chosen, usual = self.random.choices(ORDERS, weights)[0]
        if kind is not None or body:
            chosen, usual = kind or "image", {"model": "instant"}
        self._number += 1
        job_id = f"{self.tag}-{self._number}"
        wanted = {"prompt": f"{self.marker} {job_id}", "job_id": job_id} | usual | body
        unwanted = self.random.randrange(CANCELLED_OF) == 0 if cancel is None and not body else bool(cancel)
        await self.until_accepted(f"/api/{chosen}s/generate", wanted)
        count = wanted.get("num_images") or wanted.get("num_videos") or 1
        self.asked[job_id] = Asked(job_id, chosen, count, wanted["prompt"], wanted["model"] == REMOTE)
        if unwanted:
            self.asked[job_id].cancelled = True
            await self.until_accepted(f"/api/jobs/{job_id}/cancel", None)
        return job_id

    def note(self, job_id: str, body: dict[str, Any], kind: str = "image") -> None:
        """Take note of a job that was asked for beside `ask`."""
        remote = body.get("model") == REMOTE
        self.asked[job_id] = Asked(job_id, kind, body.get("num_images", 1), str(body["prompt"]), remote)

    async def until_accepted(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """Post until 202, as a client does that lost an answer; a wish that came too late is an answer as well."""
        async with asyncio.timeout(150):
            while True:
                answer = await self.post(path, body, **headers)
                if answer is not None and (
                    answer.status_code == 202 or (path.endswith("/cancel") and answer.status_code in (200, 409))
                ):
                    return answer
                await asyncio.sleep(self.random.uniform(0.1, 0.4))

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response | None:
        """Post once to one of the gateways; None when the connection broke or nothing came in time."""
        url = self.random.choice(self.urls) + path
        try:
            answer = await self.person.http.post(url, json=body, headers=headers, timeout=ANSWER_WITHIN)
        except httpx.TimeoutException:
            self.answers["hung"] += 1
            return None
        except httpx.HTTPError as error:
            self.answers[type(error).__name__] += 1
            return None
        self.answers[str(answer.status_code)] += 1
        if answer.status_code >= 400:
            self.refusals.append(answer)
        return answer

    # ---- watching

    def break_line(self) -> None:
        """Lose the line of whoever watches; it comes back by itself."""
        if self._line is not None:
            self._line.cancel()

    async def _watch(self) -> None:
        """Follow all of the person's jobs like a browser: after every break from the last id on."""
        while True:
            self._line = asyncio.create_task(self._follow())
            try:
                await asyncio.wait({self._line})
            finally:
                self._line.cancel()
            await asyncio.sleep(0.2)

    async def _follow(self) -> None:
        headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
        with suppress(httpx.HTTPError, httpx.StreamError):
            async with self.person.http.stream("GET", "/api/events", headers=headers) as answer:
                if answer.status_code == 200:
                    async for frame in frames(answer):
                        self._last_id = frame.id or self._last_id
                        self._watching.set()
                        if frame.event != "snapshot":
                            self.told.append(frame)

    async def _poll(self) -> None:
        """Ask now and then how a job stands."""
        while True:
            await asyncio.sleep(0.25)
            open_jobs = [one for one in self.asked.values() if not self._ended(one.id)]
            if not open_jobs:
                continue
            one = self.random.choice(open_jobs)
            try:
                answer = await self.person.http.get(f"/api/{one.kind}s/{one.id}/status", timeout=ANSWER_WITHIN)
            except httpx.HTTPError:
                continue
            if answer.status_code == 200:
                said = answer.json()
                self.polled.setdefault(one.id, []).append((said["status"], said["progress"]))

    def _ended(self, job_id: str) -> bool:
        seen = self.polled.get(job_id)
        return seen is not None and seen[-1][0] in TERMINAL
