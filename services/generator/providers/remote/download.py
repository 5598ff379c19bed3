"""Fetching what a provider made: through the guard, bounded, sniffed; keys go to the provider's own origin only."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx

from contracts.failures import FailureCode
from contracts.kinds import KINDS
from contracts.media import extension
from services.generator.providers.base import MediaRef, ProviderFailed, RawFile
from services.generator.providers.remote.api import Api, origin
from services.generator.providers.remote.failures import by_status, failed
from services.generator.providers.remote.sniff import CONTENT_TYPES, KIND_OF, is_html, is_whole, sniff
from services.runtime.addresses import AddressRefused, check_url
from services.runtime.guarded_http import GuardedTransport

MAX_HOPS: Final = 3
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a medium of a kind may be, in bytes, and how long its download may take, in seconds."""

    most_bytes: int
    seconds: float


BOUNDS: Final = {
    "image": Bounds(KINDS["image"].most_bytes, 120),
    "video": Bounds(KINDS["video"].most_bytes, 900),
}


class Downloads:
    """Brings media into a folder. The operator's own address is trusted, every other one is checked at each hop."""

    def __init__(self, api: Api) -> None:
        self._api = api
        _, host, port = api.origin
        self._allowed = frozenset({(host, port)})
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(self._allowed),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(30, connect=10),
        )

    async def fetch(self, ref: MediaRef, folder: Path) -> RawFile:
        """Bring a medium into the folder; raises ProviderFailed with `charged` yes."""
        bounds = BOUNDS[ref.kind]
        path = ref.path
        if path is None:
            path = folder / f"raw_{ref.index}.part"
            await self._bring(ref.url or "", path, bounds)
        return await asyncio.to_thread(judge, ref, path, folder, name=self._api.name, scrub=self._api.scrub)

    async def _bring(self, url: str, path: Path, bounds: Bounds) -> None:
        name = self._api.name
        try:
            async with asyncio.timeout(bounds.seconds):
                await self._follow(url, path, bounds)
        except AddressRefused as error:
            message = f"{name} gave an address of its medium that is not fetched: {error.detail}"
            raise _lost(message, reason=error.code) from None
        except (httpx.InvalidURL, ValueError):
            raise _lost(f"{name} gave an address of its medium that is not well formed") from None
        except (httpx.HTTPError, TimeoutError) as error:
            message = f"the download from {name} broke off"
            raise _lost(message, words=type(error).__name__, retryable=True) from None

    async def _follow(self, url: str, path: Path, bounds: Bounds) -> None:
        for _ in range(MAX_HOPS + 1):
            url = check_url(url, allowed=self._allowed)
            headers = {"Accept-Encoding": "identity"}
            if origin(url) == self._api.origin:
                headers |= self._api.headers
            async with self._client.stream("GET", url, headers=headers) as response:
                if not response.is_redirect:
                    await self._save(response, path, bounds)
                    return
                target = urljoin(url, response.headers.get("location", ""))
                if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
                    raise AddressRefused("url_scheme", "a redirect from https to http is not followed")
                url = target
        raise _lost(f"{self._api.name} redirects its medium more than {MAX_HOPS} times")

    async def _save(self, response: httpx.Response, path: Path, bounds: Bounds) -> None:
        if response.status_code != 200:
            raise self._refused(response)
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _lost(f"{self._api.name} sent its medium in an encoding that was not asked for")
        total = 0
        file = await asyncio.to_thread(path.open, "wb")
        try:
            async for chunk in response.aiter_raw(_CHUNK):
                total += len(chunk)
                if total > bounds.most_bytes:
                    raise _lost(f"{self._api.name} made a medium larger than {bounds.most_bytes} bytes")
                await asyncio.to_thread(file.write, chunk)
        finally:
            await asyncio.to_thread(file.close)

    def _refused(self, response: httpx.Response) -> ProviderFailed:
        """A medium that is gone stays gone; everything else is worth another fetch."""
        name, status = self._api.name, response.status_code
        if status in (404, 410):
            return _lost(f"{name} no longer has the medium", words=f"HTTP {status}")
        typed = by_status(name, status, f"HTTP {status}", response.headers)
        return failed(
            typed.failure.code,
            f"{name} answered {status} to the download",
            words=f"HTTP {status}",
            charged="yes",
            retryable=True,
            retry_after=typed.retry_after,
        )

    async def close(self) -> None:
        await self._client.aclose()


def judge(ref: MediaRef, path: Path, folder: Path, *, name: str, scrub: Callable[[str], str] = str) -> RawFile:
    """Tell what a provider's file is by its own bytes; raises ProviderFailed (`name` is the provider's)."""
    bounds = BOUNDS[ref.kind]
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(64)
    if size > bounds.most_bytes:
        raise _lost(f"{name} made a medium larger than {bounds.most_bytes} bytes")
    media_format = sniff(head)
    if media_format is None or KIND_OF[media_format] != ref.kind:
        what = "a web page" if is_html(head) else media_format or "something unknown"
        words = scrub(head.decode("ascii", "replace")) if is_html(head) else None
        raise _lost(f"{name} gave {what} instead of {ref.kind}", words=words)
    if not is_whole(path, media_format):
        raise _lost(f"{name} gave a {media_format} that is cut off or damaged", retryable=ref.path is None)
    if ref.path is None:
        path = path.replace(folder / f"raw_{ref.index}.{extension(media_format)}")
    return RawFile(ref.index, path, media_format, CONTENT_TYPES[media_format], size, ref.description)


def _lost(
    message: str, *, words: str | None = None, retryable: bool = False, reason: str | None = None
) -> ProviderFailed:
    code = FailureCode.PROVIDER_ERROR
    return failed(code, message, words=words, charged="yes", retryable=retryable, reason=reason)
