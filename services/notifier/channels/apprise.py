"""Mail, chats and telephones, by apprise: which addresses are taken, and one child process a message."""

import asyncio
import importlib.util
import json
import os
import sys
import time
from collections.abc import Collection
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from services.notifier.store.deliveries import Attempt

AT_A_TIME = 2
SECONDS = 30.0
# What an address may say beside who is told. Others of apprise's name files of this machine (`template`, `pgpkey`, …).
_OPTIONS = frozenset(
    {"to", "from", "name", "cc", "bcc", "reply", "smtp", "user", "pass", "mode", "format", "priority", "tags", "thread"}
    | {"footer", "image", "avatar", "silent", "topic", "group"}
)


class ChannelRefused(ValueError):
    """An address that is not taken; `code` is stable, the text says why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class AppriseChannels:
    """Sends sentences; `schemes` are those of the services that the operator lets people use."""

    def __init__(self, schemes: Collection[str], allowed: Collection[tuple[str, int]]) -> None:
        self._schemes = frozenset(schemes)
        self._allowed = sorted(allowed)
        self._room = asyncio.Semaphore(AT_A_TIME)

    async def check(self, address: str) -> str:
        """Return the address; raises ChannelRefused."""
        if importlib.util.find_spec("apprise") is None:
            raise ChannelRefused("channels_unavailable", "channels are not installed here; use a webhook")
        try:
            parts = urlsplit(address)
            options = {name.lower().lstrip("+-:") for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        except ValueError:
            raise ChannelRefused("url_malformed", "the address is not well formed") from None
        if parts.scheme not in self._schemes:
            known = ", ".join(sorted(self._schemes))
            raise ChannelRefused("url_scheme", f"the address must be one of these services: {known}")
        if strange := sorted(options - _OPTIONS):
            raise ChannelRefused("url_option", f"the address may not say {strange[0][:32]!r}")
        read = await self._ask({"url": address})
        if not read["ok"]:
            raise ChannelRefused("url_malformed", read["error"])
        return address

    async def send(self, address: str, title: str, body: str) -> Attempt:
        """Send a message and return what came of it; nothing that a service does raises."""
        began = time.perf_counter()
        said = await self._ask({"url": address, "title": title, "body": body})
        took = int((time.perf_counter() - began) * 1000)
        return Attempt(200 if said["ok"] else None, said["error"] if not said["ok"] else None, took, None)

    async def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        async with self._room:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "services.notifier.channels.apprise_child",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                # Neither proxies nor passwords of ours: a home without `.netrc` and an environment without secrets.
                env={"PATH": os.defpath, "HOME": "/nonexistent", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            try:
                async with asyncio.timeout(SECONDS):
                    out, _ = await child.communicate(json.dumps({**order, "allowed": self._allowed}).encode())
                said: dict[str, Any] = json.loads(out)
            except TimeoutError:
                return {"ok": False, "error": f"no answer within {SECONDS:g} seconds"}
            except ValueError:
                return {"ok": False, "error": "the message could not be sent"}
            finally:
                if child.returncode is None:
                    child.kill()
                    await child.wait()
        return said


def shown(address: str) -> str:
    """Return what is shown of an address, and tells it from others: addresses of channels hold passwords."""
    return f"{urlsplit(address).scheme}://…/{sha256(address.encode()).hexdigest()[:12]}"
