"""Settle dead letters: send them to their topic again, or set them aside; either once, and the audit log says who."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.topics import TOPICS
from services.gateway.queries.operating import WholeLetter, letter
from services.gateway.store.audit import record
from services.gateway.store.dead_letters import Place, discard_letter, replay_letter, replay_letters
from services.runtime.database import Pool, transaction
from services.runtime.identity import Caller
from services.runtime.outbox import OutboxRow

MOST_AT_ONCE = 1_000
_OURS = frozenset(topic.name for topic in TOPICS)


class LetterUnknown(Exception):
    """There is no dead letter at this place."""


class LetterSettled(Exception):
    """It was replayed or discarded before."""


class TopicGone(Exception):
    """This version of the system has no such topic, so nobody would read the record."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many letters were sent again; `more` says that some are left of those that came `before`."""

    count: int
    more: bool
    before: datetime


def write_letter_id(place: Place) -> str:
    """Return the id of a dead letter; no topic and no consumer has a colon in its name."""
    return ":".join(map(str, place))


def read_letter_id(text: str) -> Place:
    """Return the place an id names; raises LetterUnknown."""
    parts = text.split(":")
    # Beyond 18 digits no offset is one that Postgres could compare.
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts[1:3]) or len(parts[2]) > 18:
        raise LetterUnknown
    if len(parts[1]) > 9:
        raise LetterUnknown
    return parts[0], int(parts[1]), int(parts[2]), parts[3]


class SettleDeadLetters:
    """Replay and discard; what is handled twice changes nothing, so a replay is always safe."""

    def __init__(self, pool: Pool, offer: Callable[[Sequence[OutboxRow]], None]) -> None:
        self._pool = pool
        self._offer = offer

    async def read(self, letter_id: str) -> WholeLetter:
        """Return one with its value and headers; raises LetterUnknown."""
        found = await letter(self._pool, read_letter_id(letter_id))
        if found is None:
            raise LetterUnknown
        return found

    async def replay(self, caller: Caller, letter_id: str) -> None:
        """Send one again; raises LetterUnknown, LetterSettled and TopicGone."""
        place = read_letter_id(letter_id)
        if place[0] not in _OURS:
            await self._why_not(place)
            raise TopicGone
        async with transaction(self._pool) as connection:
            rows = await replay_letter(connection, place, by=caller.user_id)
            if rows:
                await record(connection, caller, "dead_letter.replayed", letter_id)
        if not rows:
            await self._why_not(place)
        self._offer(rows)

    async def replay_all(
        self, caller: Caller, topic: str | None, consumer: str | None, before: datetime | None
    ) -> Replayed:
        """Send up to MOST_AT_ONCE again, oldest first."""
        async with transaction(self._pool) as connection:
            rows, until = await replay_letters(
                connection, topic, consumer, before=before, by=caller.user_id, most=MOST_AT_ONCE
            )
            if rows:
                told = {"topic": topic, "consumer": consumer, "count": len(rows)}
                await record(connection, caller, "dead_letters.replayed", detail=told)
        self._offer(rows)
        return Replayed(len(rows), more=len(rows) == MOST_AT_ONCE, before=until)

    async def discard(self, caller: Caller, letter_id: str) -> None:
        """Set one aside; it stays readable. Raises LetterUnknown and LetterSettled."""
        place = read_letter_id(letter_id)
        async with transaction(self._pool) as connection:
            done = await discard_letter(connection, place, by=caller.user_id)
            if done:
                await record(connection, caller, "dead_letter.discarded", letter_id)
        if not done:
            await self._why_not(place)

    async def _why_not(self, place: Place) -> None:
        view, _, _ = await self.read(write_letter_id(place))
        if view.resolution is not None:
            raise LetterSettled
