"""What the notifier sends verifies with the reference libraries: Python's and JavaScript's, and with Svix's."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
import svix

from services.notifier.channels.signatures import Secret, new_hmac, own_hmac, signature
from services.notifier.channels.webhooks import Outgoing, WebhookSender
from tests.node_tools import TOOLS, needed
from tests.support.receiver import Receiver

VERIFY = Path(__file__).with_name("verify.mjs")
Verify = Callable[[str, dict[str, str], str], bool]


def by_standardwebhooks(secret: str, headers: dict[str, str], body: str) -> bool:
    try:
        standardwebhooks.Webhook(secret).verify(body, headers)
    except standardwebhooks.webhooks.WebhookVerificationError:
        return False
    return True


def by_svix(secret: str, headers: dict[str, str], body: str) -> bool:
    try:
        svix.Webhook(secret).verify(body, headers)
    except svix.webhooks.WebhookVerificationError:
        return False
    return True


@pytest.fixture(scope="session")
def by_node() -> Verify:
    """The JavaScript library, where `make node-tools` put it."""
    node, library = needed(TOOLS / "node" / "bin" / "node"), needed(TOOLS / "node_modules" / "standardwebhooks")

    def verify(secret: str, headers: dict[str, str], body: str) -> bool:
        done = subprocess.run(
            [str(node), str(VERIFY), str(library.parent.parent)],
            input=json.dumps([{"secret": secret, "headers": headers, "body": body}]),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return bool(json.loads(done.stdout) == [True])

    return verify


@pytest.fixture(params=["standardwebhooks", "svix", "node"])
def verify(request: pytest.FixtureRequest) -> Verify:
    if request.param == "node":
        found: Verify = request.getfixturevalue("by_node")
        return found
    return {"standardwebhooks": by_standardwebhooks, "svix": by_svix}[request.param]


async def sent(secrets: list[Secret], body: bytes) -> tuple[dict[str, str], str]:
    """Send a message as the notifier does and return what arrived."""
    now = int(time.time())
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(now),
        "webhook-signature": signature(secrets, "evt_1", now, body),
    }
    receiver, sender = Receiver(), WebhookSender(frozenset(), 5)
    await receiver.start()
    try:
        assert (await sender.send(Outgoing(receiver.url("/"), body, headers, trusted=True))).taken
    finally:
        await sender.close()
        await receiver.stop()
    (call,) = receiver.calls
    return {name.lower(): value for name, value in call.headers.items()}, call.raw.decode()


async def test_a_message_verifies_and_one_that_was_touched_does_not(verify: Verify) -> None:
    old, new = new_hmac(), own_hmac("whsec_" + "c2VjcmV0LW9mLW91ci1vd24tMzItYnl0ZXMtbG9uZyE=")
    body: dict[str, Any] = {"type": "job.completed", "data": {"prompt": "Un chat — « mignon » 🐈"}}
    headers, raw = await sent([new, old], json.dumps(body, ensure_ascii=False).encode())
    for secret in (old, new):
        assert verify(secret.shown, headers, raw)
    assert not verify(new_hmac().shown, headers, raw)
    assert not verify(new.shown, headers, raw.replace("chat", "chien"))
    assert not verify(new.shown, headers | {"webhook-id": "evt_2"}, raw)
