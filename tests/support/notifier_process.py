"""A notifier's work as a process of its own, killed at a step: `<database url> <receiver's port> <step>`.

It hears of one ending, plans and sends; at the step it kills itself as a machine does that loses power.
"""

import asyncio
import os
import signal
import sys
from typing import Any

from services.notifier.store import deliveries
from services.notifier.usecases import deliver_webhooks
from services.notifier.usecases.judge_endpoints import JudgeEndpoints
from tests.integration.test_webhook_planning import ending
from tests.support.console import console

STEPS = ("heard", "planned", "claimed", "sent", "settled", "judged")


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_after(work: Any) -> Any:
    """Return the same work, after which the process is no more; an empty outcome does not count."""

    async def done(*arguments: Any, **options: Any) -> Any:
        outcome = await work(*arguments, **options)
        if outcome or outcome is None:
            die()
        return outcome

    return done


async def work(url: str, port: int, step: str) -> None:
    module: Any = deliver_webhooks
    if step == "planned":
        module.store.plan = dying_after(deliveries.plan)
    elif step == "claimed":
        module.store.claim = dying_after(deliveries.claim)
    elif step == "sent":
        module.WebhookSender.send = dying_after(module.WebhookSender.send)
    elif step == "settled":
        module.store.settle = dying_after(deliveries.settle)
    elif step == "judged":
        judge: Any = JudgeEndpoints
        judge.healthy = dying_after(JudgeEndpoints.healthy)
    async with console(url, allowed=frozenset({("127.0.0.1", port)})) as (_, parts):
        if step == "heard":
            die()
        await parts.plan_deliveries([ending()])
        await parts.deliver_webhooks.run(parts.plan_deliveries)


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
