"""Event streams of one process: an update goes to its user's streams, and nobody waits for a slow one."""

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.events import JobUpdated
from contracts.kinds import KINDS
from contracts.messages import failure_sentence, status_message
from services.notifier.metrics import STREAM_QUEUE_BOUND, STREAM_UPDATES, STREAMS, STREAMS_BOUND, STREAMS_DROPPED

QUEUE_BOUND = 256
"""Updates a stream may lag behind before it is ended and told to come back with its last id."""
HEARTBEAT_SECONDS = 15
COME_BACK_MS = (500, 6_000)
"""When clients of a process that stops are to reconnect."""


Newest = Callable[[Collection[str]], Awaitable[Mapping[str, int]]]
"""The newest number of each of these users' moves in the rows."""


@dataclass(slots=True)
class Update:
    """One move of a job, encoded once a language however many streams show it."""

    event: JobUpdated
    _frames: dict[str, bytes] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return self.event.n

    def frame(self, language: str) -> bytes:
        """Return the server-sent event."""
        if language not in self._frames:
            body = json.dumps(describe(self.event, language), ensure_ascii=False, separators=(",", ":"))
            self._frames[language] = f"id: {self.n}\nevent: job.updated\ndata: {body}\n\n".encode()
        return self._frames[language]


def describe(event: JobUpdated, language: str) -> dict[str, Any]:
    """Return what a stream says of a move, in the words of the status route."""
    kind = KINDS[event.kind]
    shown = event.model_dump(mode="json", exclude={"user_id", "organization_id", "n"})
    shown["message"] = event.message or status_message(kind, event.status, event.stage, language)
    shown["error_message"] = failure_sentence(event.failure, language) if event.failure else None
    return shown


@dataclass(eq=False, slots=True)
class Stream:
    """What waits for one open stream; `ended` says that nothing more will be put, `farewell` is its last word."""

    user_id: str
    job_id: str | None
    slot: int = 0
    newest: int = 0
    """The newest number of its user that the rows had when its turn came last."""
    ended: bool = False
    farewell: bytes = b""
    _looked_until: int = 0
    _waiting: list[Update] = field(default_factory=list)
    _taker: "asyncio.Future[None] | None" = None

    def put(self, update: Update) -> None:
        if self.ended:
            return
        if len(self._waiting) >= QUEUE_BOUND:
            STREAMS_DROPPED.inc()
            self.end(b": too slow; come back with the last id\n\n")
            return
        self._waiting.append(update)
        self.wake()

    def end(self, farewell: bytes = b"") -> None:
        """End it after what waits; the client reconnects with its last id."""
        if not self.ended:
            self.ended = True
            self.farewell = farewell
            self.wake()

    def wake(self) -> None:
        """Let whoever takes go on, with nothing if nothing waits."""
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)

    def lags_behind(self, last: int) -> bool:
        """Tell, once for each number that the rows had, whether it is after the last one told."""
        lags = self.newest > max(last, self._looked_until)
        self._looked_until = self.newest
        return lags

    async def take(self) -> list[Update]:
        """Return what waits; nothing when the line has been silent for a while, or when the stream has ended."""
        if not self._waiting and not self.ended:
            self._taker = asyncio.get_running_loop().create_future()
            try:
                await self._taker
            finally:
                self._taker = None
        taken, self._waiting = self._waiting, []
        return taken


class Hub:
    """All open streams of this process."""

    def __init__(self, most_of_a_user: int = 100) -> None:
        self._most_of_a_user = most_of_a_user
        self._streams: defaultdict[str, set[Stream]] = defaultdict(set)
        # Silent lines are heard from in turn: one timer for all costs a tenth of one each.
        self._slots: list[set[Stream]] = [set() for _ in range(HEARTBEAT_SECONDS)]
        self._opened = 0
        self._closed = False

    async def run(self, newest: Newest) -> None:
        """Wake each stream every so many seconds."""
        turn = 0
        while not self._closed:
            await asyncio.sleep(1)
            turn = (turn + 1) % len(self._slots)
            await self.beat(turn, newest)

    async def beat(self, turn: int, newest: Newest) -> None:
        """Wake the streams whose turn it is, and tell them how far the rows are: what was not heard is fetched then."""
        streams = list(self._slots[turn])
        if not streams:
            return
        numbers = await newest({stream.user_id for stream in streams})
        for stream in streams:
            stream.newest = max(stream.newest, numbers.get(stream.user_id, 0))
            stream.wake()

    @property
    def open_streams(self) -> int:
        return sum(len(streams) for streams in self._streams.values())

    def is_full(self, user_id: str) -> bool:
        """Tell whether this user watches by as many streams as one process serves to anybody."""
        return len(self._streams.get(user_id, ())) >= self._most_of_a_user

    def open(self, user_id: str, job_id: str | None) -> Stream:
        """Open a stream; whatever is published from now on reaches its queue. One too many is ended at once."""
        self._opened += 1
        stream = Stream(user_id, job_id, self._opened % len(self._slots))
        self._slots[stream.slot].add(stream)
        if self._closed:
            stream.end(_come_back())
        elif self.is_full(user_id):
            stream.end()
        self._streams[user_id].add(stream)
        return stream

    def close_stream(self, stream: Stream) -> None:
        self._slots[stream.slot].discard(stream)
        streams = self._streams[stream.user_id]
        streams.discard(stream)
        if not streams:
            del self._streams[stream.user_id]

    def publish(self, events: Sequence[JobUpdated]) -> None:
        """Put updates into the queues of those who watch; in the order of each user's numbers."""
        for event in sorted(events, key=lambda event: event.n):
            streams = self._streams.get(event.user_id)
            if not streams:
                continue
            update = Update(event)
            watching = [stream for stream in streams if stream.job_id is None or stream.job_id == event.job_id]
            for stream in watching:
                stream.put(update)
            STREAM_UPDATES.inc(len(watching))

    def measure(self) -> None:
        """Bring the gauges of the streams up to date."""
        STREAMS.set(self.open_streams)
        STREAMS_BOUND.set(self._most_of_a_user)
        STREAM_QUEUE_BOUND.set(QUEUE_BOUND)

    def close(self) -> None:
        """End every stream, so that clients reconnect elsewhere, not all at once."""
        self._closed = True
        for streams in self._streams.values():
            for stream in streams:
                stream.end(_come_back())


def _come_back() -> bytes:
    """Say when to reconnect: thousands that lose their process together spread over some seconds."""
    return b"retry: %d\n\n" % random.randint(*COME_BACK_MS)  # noqa: S311 - not a secret
