"""b.2: the gateway dies, hangs, is cut off and is asked twice."""

import asyncio
import time

import httpx

from tests.chaos.load import Load
from tests.chaos.rig import Rig
from tests.chaos.scenarios import NotHere, scenario

GENERATE = "/api/images/generate"


def order(load: Load, name: str) -> dict[str, object]:
    return {"prompt": f"{load.marker} {load.tag}-{name}", "model": "instant"}


async def once(rig: Rig, load: Load, name: str) -> None:
    """Have exactly one job of these words."""
    prompt = f"{load.marker} {load.tag}-{name}"
    count = await rig.value("SELECT count(*) FROM image_generations WHERE prompt = $1", prompt)
    assert count == 1, f"{count} jobs were made for one wish"


async def _dies_at(rig: Rig, load: Load, point: str) -> None:
    body = order(load, "wish")
    armed = rig.arm("gateway", point)
    first = await load.post(GENERATE, body, **{"Idempotency-Key": load.tag})
    await rig.fired(armed)
    load.work(6)
    await rig.ready("gateway")
    again = await load.until_accepted(GENERATE, body, **{"Idempotency-Key": load.tag})
    load.note(again.json()["job_id"], body)
    if first is not None and first.status_code == 202:
        assert again.json()["job_id"] == first.json()["job_id"]
    await once(rig, load, "wish")


@scenario("b.2 kill -9 before commit")
async def killed_before_commit(rig: Rig, load: Load) -> None:
    """SIGKILL before the statement; the client asks again with its key."""
    await _dies_at(rig, load, "gw.before_commit")


@scenario("b.2 kill -9 after commit, before 202", short=True)
async def killed_after_commit(rig: Rig, load: Load) -> None:
    """SIGKILL after the commit and before the answer; the client asks again with its key."""
    await _dies_at(rig, load, "gw.after_commit")


@scenario("b.2 restart, rolling", usual=True)
async def rolling_restart(rig: Rig, load: Load) -> None:
    """SIGTERM to each of two gateways in turn under load; no client sees an answer of 500 or above."""
    async with rig.second("gateway") as second:
        load.urls = (rig.product.url, rig.second_gateway_url)
        load.work(20)
        for name in ("gateway", second):
            await asyncio.sleep(1.5)
            await rig.restart(name)
        await load.rest()
        load.urls = (rig.product.url,)
    assert not [status for status in load.answers if status.startswith("5")], load.answers


@scenario("b.2 slow Postgres")
async def slow_database(rig: Rig, load: Load) -> None:
    """Two seconds of latency between gateway and Postgres, twenty clients at once."""
    rig.between("gateway", "postgres").become(latency=2.0)
    began = time.monotonic()
    answers = await asyncio.gather(*(load.post(GENERATE, order(load, f"slow-{n}")) for n in range(20)))
    slowest = time.monotonic() - began
    rig.clear()
    assert all(answer is not None for answer in answers), load.answers
    assert slowest < 25, slowest
    for number, answer in enumerate(answers):
        if answer is not None and answer.status_code == 202:
            load.note(answer.json()["job_id"], order(load, f"slow-{number}"))


@scenario("b.2 partition from Postgres", usual=True)
async def cut_from_database(rig: Rig, load: Load) -> None:
    """Nothing passes between gateway and Postgres for twenty seconds: whoever asks is answered meanwhile."""
    load.work(4)
    await asyncio.sleep(1)
    rig.between("gateway", "postgres").become(hold_up=True, hold_down=True)
    await asyncio.sleep(6)
    async with httpx.AsyncClient(base_url=rig.product.url, timeout=5) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503
    await asyncio.sleep(14)
    assert load.answers["503"], load.answers
    rig.clear()
    await load.rest()
    assert not load.answers["hung"], load.answers


@scenario("b.2 partition from Kafka", usual=True)
async def cut_from_kafka(rig: Rig, load: Load) -> None:
    """The gateway reaches no broker for six seconds: every request is accepted all the same."""
    rig.between("gateway", "kafka").become(refuses=True)
    load.work(8)
    await asyncio.sleep(6)
    async with httpx.AsyncClient(base_url=rig.product.url, timeout=10) as client:
        assert (await client.get("/readyz")).status_code == 200
    assert set(load.answers) <= {"202", "200", "409"}, load.answers
    rig.clear()


@scenario("b.2 duplicate POST", short=True)
async def double_click(rig: Rig, load: Load) -> None:
    """Fifty posts at once with one key: one job; another body under that key is refused."""
    body = order(load, "click")
    key = {"Idempotency-Key": f"{load.tag}-click"}
    answers = await asyncio.gather(*(load.post(GENERATE, body, **key) for _ in range(50)))
    ids = {answer.json()["job_id"] for answer in answers if answer is not None and answer.status_code == 202}
    assert len(ids) == 1, ids
    load.note(ids.pop(), body)
    other = await load.post(GENERATE, order(load, "another"), **key)
    # DESIGN.md, section 5, says 422 where the matrix has 409.
    assert other is not None and other.status_code == 422, other
    await once(rig, load, "click")


@scenario("b.2 clock skew")
async def wrong_clock(rig: Rig, load: Load) -> None:
    """A gateway ten minutes fast, then ten minutes slow: a token it cannot take is 401, and nothing is 500."""
    if not rig.can_skew:
        raise NotHere("libfaketime is not installed: apt-get install faketime")
    for skew in ("+10m", "-10m"):
        await rig.skew("gateway", skew)
        answer = await load.post(GENERATE, order(load, f"skewed{skew[0]}"))
        assert answer is not None and answer.status_code in (202, 401), answer
        if answer.status_code == 202:
            load.note(answer.json()["job_id"], order(load, f"skewed{skew[0]}"))
    rig.clear()
    await rig.restart("gateway")
