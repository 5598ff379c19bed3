"""Measures webhooks against the seeds' way: `python -m tests.bench.sending [messages]`. Not a test.

Both send to one receiver in a process of its own: the notifier signed and recorded, the seeds by `requests.post` in
sixteen threads, in turns. Then again with an endpoint beside it that hangs.
"""

import asyncio
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import httpx

from contracts.events import JobUpdated
from contracts.status import JobStatus
from tests.bench.streams import RECEIVER, Bench, bench, cpu_seconds

SEEDS = """
import sys, time, requests
from concurrent.futures import ThreadPoolExecutor
url, count = sys.argv[1], int(sys.argv[2])
body = {"job_id": "cm4abc123def456ghi789", "status": "completed", "data": {"images": [{"url": "https://x/y" * 20}]}}
send = lambda _: requests.post(url, json=body, headers={"X-Webhook-Secret": "secret"}).raise_for_status()
began = time.perf_counter()
with ThreadPoolExecutor(16) as pool:
    list(pool.map(send, range(count)))
print(count / (time.perf_counter() - began))
"""
ROUNDS = 3
TAKES = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Takes(asyncio.Protocol):
    """Answers 200 to every POST whose body has come whole, nothing to one that is to hang, and a GET with their number.

    The number is asked for here, so that counting costs the database under measurement nothing.
    """

    taken = 0

    def __init__(self) -> None:
        self._held = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].lower()
            if head.startswith(b"get "):
                said = str(Takes.taken).encode()
                self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))
                self._held = self._held[end + 4 :]
                continue
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self._held) < end + 4 + length:
                return
            self._held = self._held[end + 4 + length :]
            if b"/hang" not in head:
                Takes.taken += 1
                self._transport.write(TAKES)


async def receive() -> None:
    """Serve as the receiver's process."""
    server = await asyncio.get_running_loop().create_server(Takes, "127.0.0.1", RECEIVER)
    await server.serve_forever()


def ended(user: str, number: int) -> JobUpdated:
    now = datetime.now(UTC)
    values: dict[str, Any] = {"job_id": f"{user}-{number}", "user_id": user, "status": JobStatus.CANCELLED}
    return JobUpdated(kind="image", at=now, created_at=now, seq=1, n=number, progress=60, **values)


async def endpoint(made: Bench, user: str, path: str) -> str:
    await made.pool.execute('INSERT INTO users (id, "clerkId") VALUES ($1, $1) ON CONFLICT DO NOTHING', user)
    headers = {"Authorization": f"Bearer {made.stack.token(user)}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{made.port}", headers=headers) as client:
        answer = await client.post("/api/webhook-endpoints", json={"url": f"http://127.0.0.1:{RECEIVER}{path}"})
        assert answer.status_code == 201, answer.text
        found: str = answer.json()["id"]
        return found


async def told(made: Bench, user: str, count: int) -> float:
    """Tell so many endings of a user; return how many a second were sent and recorded once all were on the topic."""
    endpoint_id = await endpoint(made, user, f"/{user}")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{RECEIVER}") as receiver:
        before = int((await receiver.get("/")).text)
        for start in range(1, count + 1, 500):
            await made.publish(*(ended(user, number) for number in range(start, min(start + 500, count + 1))))
        cpu, began = cpu_seconds(made.notifier.pid), time.perf_counter()
        first = int((await receiver.get("/")).text)
        while (last := int((await receiver.get("/")).text)) < before + count:
            await asyncio.sleep(0.02)
        took, used = time.perf_counter() - began, cpu_seconds(made.notifier.pid) - cpu
    done = "SELECT count(*) FROM sorami.deliveries WHERE endpoint = $1 AND state = 'delivered'"
    async with asyncio.timeout(10):
        while await made.pool.fetchval(done, endpoint_id) < count:
            await asyncio.sleep(0.05)
    sent = last - first
    print(f"the notifier, {user}: {sent / took:.0f} a second, {used / sent * 1000:.2f} ms of processor each")
    return sent / took


async def seeds(count: int) -> float:
    """Send so many as the seeds did; return how many a second."""
    sending = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SEEDS, f"http://127.0.0.1:{RECEIVER}/seeds", str(count), stdout=subprocess.PIPE
    )
    said, _ = await sending.communicate()
    print(f"requests.post in 16 threads: {float(said):.0f} a second")
    return float(said)


async def paced(made: Bench, user: str, count: int = 300) -> float:
    """Tell endings one after the other, 50 a second, and return the p99 of how long each took to be sent, in ms."""
    endpoint_id = await endpoint(made, user, f"/{user}")
    for number in range(1, count + 1):
        await made.publish(ended(user, number))
        await asyncio.sleep(0.02)
    await asyncio.sleep(2)
    p99 = await made.pool.fetchval(
        "SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - created_at)::float8)"
        " FROM sorami.deliveries WHERE endpoint = $1",
        endpoint_id,
    )
    return float(p99) * 1000


async def main(count: int) -> None:
    receiver = subprocess.Popen([sys.executable, "-m", "tests.bench.sending", "receive"])
    try:
        async with bench() as made:
            await told(made, "warm", 1_000)
            turns = [(await seeds(count // 2), await told(made, f"quick{turn}", count)) for turn in range(ROUNDS)]
            ratio = statistics.median(ours / theirs for theirs, ours in turns)
            print(f"{ratio:.1f} times requests.post (median of {ROUNDS} rounds)")
            alone = await paced(made, "alone")
            await endpoint(made, "hanging", "/hang")
            await made.publish(*(ended("hanging", number) for number in range(1, 501)))
            beside = await paced(made, "beside")
            print(f"plan to settled, p99: {alone:.1f} ms alone, {beside:.1f} ms beside 500 that hang")
    finally:
        receiver.terminate()
        receiver.wait()


if __name__ == "__main__":
    asyncio.run(receive() if sys.argv[1:] == ["receive"] else main(int(sys.argv[1]) if sys.argv[1:] else 3_000))
