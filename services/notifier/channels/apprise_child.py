"""One message through apprise in a process of its own, which reaches the public internet alone and ends with it.

Reads an order as JSON from standard input, writes what came of it to standard output. Apprise sends by libraries that
resolve and connect by themselves: here every connection they make is judged, redirects included.
"""

import json
import logging
import os
import socket
import sys
from typing import Any

from services.runtime.addresses import is_public

_WORDS = 300


def guard(allowed: set[tuple[str, int]]) -> None:
    """Let this process connect to public addresses alone; `allowed` are hosts and ports that need not be public."""
    resolve, connect = socket.getaddrinfo, socket.socket.connect

    def remember_allowed(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        found = resolve(host, port, *more, **options)
        if (host, port) in allowed:
            allowed.update((str(answer[4][0]), port) for answer in found)
        return found

    def judged(self: socket.socket, address: Any) -> None:
        public = self.family in (socket.AF_INET, socket.AF_INET6) and is_public(str(address[0]))
        if not public and tuple(address[:2]) not in allowed:
            raise ConnectionRefusedError("the address does not lead to the public internet")
        connect(self, address)

    def judged_ex(self: socket.socket, address: Any) -> int:
        try:
            judged(self, address)
        except OSError as error:
            return error.errno or 111
        return 0

    patched: Any = socket
    patched.getaddrinfo = remember_allowed
    patched.socket.connect = judged
    patched.socket.connect_ex = judged_ex


class _Words(logging.Handler):
    """Keeps the last thing apprise complained of; it hides what is secret itself."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self.last = record.getMessage()


def send(order: dict[str, Any]) -> dict[str, Any]:
    """Send, or only read the address when the order has no body."""
    import apprise

    words = _Words()
    logging.getLogger("apprise").addHandler(words)
    asset = apprise.AppriseAsset(app_id="Sorami", app_desc="Sorami", secure_logging=True)
    channel = apprise.Apprise.instantiate(order["url"], asset=asset, suppress_exceptions=True)
    if channel is None:
        return {"ok": False, "error": "the address is none that this channel knows"}
    if order.get("body") is None:
        return {"ok": True}
    sent = channel.notify(title=order["title"], body=order["body"], body_format=apprise.NotifyFormat.TEXT)
    return {"ok": bool(sent), "error": None if sent else words.last[:_WORDS] or "the channel did not take it"}


def main() -> None:
    """Do what the order says."""
    order = json.load(sys.stdin)
    # What libraries print must not mix with the answer.
    answer = os.dup(1)
    os.dup2(2, 1)
    guard({(host, int(port)) for host, port in order["allowed"]})
    os.write(answer, json.dumps(send(order)).encode())


if __name__ == "__main__":
    main()
