"""b.11: receivers that fail in every way. Each status by itself: tests/integration/test_webhook_endpoints.py."""

import asyncio

from tests.chaos.load import Load
from tests.chaos.rig import Rig
from tests.chaos.scenarios import scenario
from tests.support.receiver import endless, half_open, reset, slow, status, then


@scenario("b.11 500/timeout/reset", short=True)
async def fails_and_recovers(rig: Rig, load: Load) -> None:
    """The receiver answers 500, breaks off, redirects, answers half and without end, then takes everything."""
    bad = [status(500), reset, status(302, Location="/elsewhere"), endless, status(429, Retry_After="1"), half_open]
    load.random.shuffle(bad)
    rig.receiver.plays[load.path] = then(*bad, *bad[:3], status(200))
    load.work(4)
    await asyncio.sleep(4)
    await load.rest()
    assert not rig.receiver.at("/elsewhere"), "a redirect was followed"


@scenario("b.11 partition")
async def away(rig: Rig, load: Load) -> None:
    """The receiver refuses connections for eight seconds."""
    rig.between("notifier", "receiver").become(refuses=True)
    load.work(5)
    await asyncio.sleep(8)
    rig.clear()


@scenario("b.10 slow receiver (29 s)", usual=True)
async def hangs(rig: Rig, load: Load) -> None:
    """Another's receiver hangs at every call: nobody else waits for it."""
    other = rig.person()
    await other.user_id()
    port = rig.between("notifier", "receiver").port
    path = f"/hangs/{load.tag}"
    rig.receiver.plays[path] = slow(60)
    made = await other.http.post("/api/webhook-endpoints", json={"url": f"http://127.0.0.1:{port}{path}"})
    assert made.status_code == 201, made.text
    await asyncio.gather(*(other.ask(prompt=load.marker) for _ in range(20)))
    load.work(5)
    await rig.product.until(
        "SELECT 1 WHERE 20 <= (SELECT count(*) FROM sorami.deliveries WHERE endpoint = $1 AND state = 'delivered')",
        load.endpoint["id"],
        within=60,
    )
    late = await rig.value(
        """SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - created_at))
           FROM sorami.deliveries WHERE endpoint = $1 AND state = 'delivered'""",
        load.endpoint["id"],
    )
    assert late is not None and late < 5, f"a healthy endpoint's p99 is {late} s"
    await rig.product.pool.execute(
        "UPDATE sorami.webhook_endpoints SET state = 'disabled' WHERE id = $1", made.json()["id"]
    )
    rig.receiver.plays.pop(path)
