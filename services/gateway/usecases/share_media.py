"""Share a generation or an album by a link, for as long as its owner likes; and open such a link."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.ids import new_id, new_token
from services.gateway.queries import gallery, library
from services.gateway.queries.gallery import Filters, Page, Position
from services.gateway.queries.library import OpenShare, SharedFile, ShareView
from services.gateway.store.audit import record
from services.gateway.store.shares import COUNT_ATTEMPT, FORGET_ATTEMPTS, INSERT_SHARE, REVOKE_SHARE
from services.gateway.usecases.keep_media import AlbumNotFound, GenerationNotFound
from services.runtime.database import Pool, transaction
from services.runtime.identity import Caller
from services.runtime.own_rows import OwnRows

PREFIX_LETTERS = 6
ATTEMPTS = 10
ATTEMPT_SECONDS = 600
UNLOCKED_SECONDS = 3_600
_SCRYPT = {"n": 2**14, "r": 8, "p": 1}
_AT_ONCE = 2
"""Passwords hashed at the same time in one process: each takes 16 MB and 50 ms of a core."""


class ShareNotFound(Exception):
    """There is no share of this id or token."""


class ShareOver(Exception):
    """The share was revoked, has expired, or what it shows was deleted."""


class Locked(Exception):
    """The share wants its password first."""


class WrongPassword(Exception):
    """The password is wrong."""


@dataclass(frozen=True, slots=True)
class TooManyAttempts(Exception):
    """The password was tried too often; `seconds` until it may be tried again."""

    seconds: float


class MediaGone(Exception):
    """The file is not in the share, or its bytes are not where they were."""


class Media(Protocol):
    """Where the bytes of a shared file come from."""

    async def open(self, file: SharedFile, filename: str, headers: Mapping[str, str]) -> "OpenedMedia":
        """Begin to read a file; raises MediaGone."""
        ...


@dataclass(frozen=True, slots=True)
class OpenedMedia:
    """The beginning of an answer: status 200, 206 or 416, the headers that matter, and the bytes as they come."""

    status: int
    headers: dict[str, str]
    chunks: AsyncIterator[bytes]


def token_hash(token: str) -> bytes:
    """Return what is kept of a share's token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


class Shares:
    """The use cases behind share links."""

    def __init__(self, pool: Pool, media: Media) -> None:
        self._pool = pool
        self._media = media
        self._hashing = asyncio.Semaphore(_AT_ONCE)

    async def share(
        self,
        caller: Caller,
        *,
        generation_id: str | None,
        album_id: str | None,
        seconds: float | None,
        password: str | None,
        show_prompt: bool,
    ) -> tuple[ShareView, str]:
        """Make a share and return it with its token, which is not kept; raises GenerationNotFound or AlbumNotFound."""
        owner_id = caller.user_id
        if generation_id and generation_id not in await gallery.my_generations(
            OwnRows(self._pool, owner_id), [generation_id]
        ):
            raise GenerationNotFound
        if album_id and await library.album(OwnRows(self._pool, owner_id), album_id) is None:
            raise AlbumNotFound
        token, share_id = new_token(24), new_id()
        password_hash = await self._hash(password) if password is not None else None
        async with transaction(self._pool) as connection:
            await connection.execute(
                INSERT_SHARE,
                share_id,
                owner_id,
                token_hash(token),
                token[:PREFIX_LETTERS],
                generation_id,
                album_id,
                show_prompt,
                password_hash,
                seconds,
            )
            shown = {"generation_id": generation_id} if generation_id else {"album_id": album_id}
            await record(connection, caller, "share.made", share_id, detail=shown)
        made = await library.share(OwnRows(self._pool, owner_id), share_id)
        if made is None:
            raise ShareNotFound
        return made, token

    async def revoke(self, caller: Caller, share_id: str) -> None:
        """End a share at once; again changes nothing. Raises ShareNotFound."""
        async with transaction(self._pool) as connection:
            if await connection.fetchval(REVOKE_SHARE, caller.user_id, share_id) is None:
                raise ShareNotFound
            await record(connection, caller, "share.ended", share_id)

    async def find(self, token: str) -> OpenShare:
        """Return the share of a token; raises ShareNotFound or ShareOver. Nothing is remembered between calls."""
        found = await library.open_share(self._pool, token_hash(token))
        if found is None:
            raise ShareNotFound
        if found.is_over:
            raise ShareOver
        return found

    async def look(self, token: str, key: str | None) -> OpenShare:
        """Return the share for whoever may see into it; `key` is what `unlock` gave. Raises Locked too."""
        found = await self.find(token)
        if found.password_hash is not None and not _fits(found, key):
            raise Locked
        return found

    async def unlock(self, token: str, password: str) -> str:
        """Return the key that opens a share for an hour; raises WrongPassword or TooManyAttempts."""
        found = await self.find(token)
        if found.password_hash is None:
            return ""
        tried = await self._pool.fetchrow(COUNT_ATTEMPT, found.id, float(ATTEMPT_SECONDS))
        if tried is not None and tried["attempts"] > ATTEMPTS:
            raise TooManyAttempts(tried["seconds_left"])
        if not await self._is(password, found.password_hash):
            raise WrongPassword
        await self._pool.execute(FORGET_ATTEMPTS, found.id)
        return _key(found, int(time.time()) + UNLOCKED_SECONDS)

    async def items(self, found: OpenShare, *, after: Position | None, limit: int) -> Page:
        """Return a page of what a share shows: finished media that are not deleted."""
        if found.generation_id is not None:
            kinds = await gallery.my_generations(OwnRows(self._pool, found.owner_id), [found.generation_id])
            views = await gallery.in_order(
                OwnRows(self._pool, found.owner_id), [(kind, one) for one, kind in kinds.items()]
            )
            return Page(views, None)
        filters = Filters(album_id=found.album_id)
        return await gallery.page(OwnRows(self._pool, found.owner_id), filters, after=after, limit=limit)

    async def media(self, found: OpenShare, file_id: str, filename: str, headers: Mapping[str, str]) -> OpenedMedia:
        """Begin to read a file of a share; raises MediaGone."""
        file = await library.shared_file(OwnRows(self._pool, found.owner_id), found, file_id)
        if file is None:
            raise MediaGone
        return await self._media.open(file, filename, headers)

    async def _hash(self, password: str) -> str:
        salt = secrets.token_bytes(16)
        return f"scrypt${_b64(salt)}${_b64(await self._scrypt(password, salt))}"

    async def _is(self, password: str, password_hash: str) -> bool:
        _, salt, digest = password_hash.split("$")
        found = await self._scrypt(password, base64.urlsafe_b64decode(salt))
        return hmac.compare_digest(found, base64.urlsafe_b64decode(digest))

    async def _scrypt(self, password: str, salt: bytes) -> bytes:
        async with self._hashing:
            return await asyncio.to_thread(hashlib.scrypt, password.encode(), salt=salt, **_SCRYPT)


def _key(found: OpenShare, until: int) -> str:
    # Signed with the password's hash, which never leaves the database: another password, and old keys fit no more.
    secret = (found.password_hash or "").encode()
    mark = hmac.new(secret, f"{found.id}.{until}".encode(), hashlib.sha256).digest()
    return f"{until}.{_b64(mark)}"


def _fits(found: OpenShare, key: str | None) -> bool:
    until, _, _ = (key or "").partition(".")
    if not (until.isascii() and until.isdigit() and len(until) < 12 and int(until) > time.time()):
        return False
    return hmac.compare_digest(_key(found, int(until)).encode(), (key or "").encode("utf-8", "replace"))


def thumbnails_of(file: SharedFile) -> list[dict[str, Any]]:
    """Return the smaller pictures of a file."""
    found: list[dict[str, Any]] = json.loads(file.thumbnails or "null") or []
    return found
