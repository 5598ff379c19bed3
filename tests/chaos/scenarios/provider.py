"""b.6: the provider is away, late, breaks off and refuses. Each wire's own cases: test_every_provider.py."""

import asyncio
import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from tests.chaos.load import REMOTE, Load
from tests.chaos.rig import Rig
from tests.chaos.scenarios import scenario
from tests.support.providers.behaviours import Behaviour


@contextmanager
def _playing(rig: Rig, script: Behaviour) -> Iterator[None]:
    rig.provider.script = script
    try:
        yield
    finally:
        rig.provider.script = Behaviour.SUCCESS


@scenario("b.6 connection reset mid-answer", short=True)
async def answers_break_off(rig: Rig, load: Load) -> None:
    """The provider executes and the answer is cut off: the job says so, and nothing is bought again."""
    load.expected.failures = frozenset({"outcome_unknown", "provider_error"})
    proxy = rig.between("generator", "provider")
    proxy.become(cut_down_after=20)
    load.work(4)
    await load.ask_many(4, model=REMOTE)
    async with asyncio.timeout(20):
        while proxy.cuts < 4:
            await asyncio.sleep(0.05)
    rig.clear()
    await asyncio.sleep(1)


@scenario("b.6 slow")
async def slow(rig: Rig, load: Load) -> None:
    """Three seconds of latency on every word with the provider."""
    rig.between("generator", "provider").become(latency=1.5)
    load.work(3)
    await asyncio.sleep(8)
    rig.clear()


@scenario("b.6 partition", usual=True)
async def away(rig: Rig, load: Load) -> None:
    """The provider refuses connections until its breaker opens; jobs wait, and go on when it is back."""
    # A connection that is taken and then reset may have carried the order: nobody can tell.
    load.expected.failures = frozenset({"provider_error", "overloaded", "outcome_unknown"})
    rig.between("generator", "provider").become(refuses=True)
    load.work(3)
    await load.ask_many(8, model=REMOTE)
    await asyncio.sleep(5)
    rig.clear()
    await asyncio.sleep(1)


@scenario("b.6 401/403")
async def key_refused(rig: Rig, load: Load) -> None:
    """The provider refuses our key, and echoes it in its answer; later the key is mended, and a probe finds out."""
    load.expected.failures = frozenset({"provider_auth"})
    with _playing(rig, Behaviour.AUTH):
        await load.ask_many(3, model=REMOTE)
        await rig.product.until("SELECT 1 FROM sorami.provider_health WHERE state = 'open' AND model = ''")
    later = await load.ask_many(3, model=REMOTE)
    # Its door stays shut for two minutes, which nobody here waits for.
    await rig.product.pool.execute("UPDATE sorami.provider_health SET retry_at = now()")
    await rig.product.until(
        "SELECT 1 WHERE 3 = (SELECT count(*) FROM sorami.jobs WHERE id = ANY($1) AND status = 'COMPLETED')", later
    )


@scenario("b.6 200 with HTML / wrong MIME")
async def pages_instead_of_pictures(rig: Rig, load: Load) -> None:
    """The provider's media are web pages."""
    load.expected.failures = frozenset({"provider_error", "no_media"})
    with _playing(rig, Behaviour.HTML):
        await load.ask_many(4, model=REMOTE)
        await asyncio.sleep(6)


@scenario("b.6 media unusable, worker killed before it says so", usual=True)
async def killed_with_a_paid_failure(rig: Rig, load: Load) -> None:
    """The provider's media are web pages, and SIGKILL comes before that is reported: nothing is bought again."""
    load.expected.failures = frozenset({"provider_error", "no_media"})
    with _playing(rig, Behaviour.HTML):
        asking = asyncio.create_task(load.ask_many(4, model=REMOTE))
        for _ in range(2):
            await rig.fired(rig.arm("generator", "gen.before_report"))
            await rig.ready("generator")
        await asking
        await asyncio.sleep(6)


@scenario("b.5 memory bomb from the provider")
async def a_bomb(rig: Rig, load: Load) -> None:
    """The provider's picture is 17 kB that unpack to 700 MB; the worker lives and others' work goes on."""
    load.expected.failures = frozenset({"provider_error"})
    usual = rig.provider.medium
    rig.provider.medium = _bomb  # type: ignore[method-assign]
    try:
        load.work(3)
        await load.ask_many(2, model=REMOTE)
        await asyncio.sleep(6)
    finally:
        rig.provider.medium = usual  # type: ignore[method-assign]


def _bomb(side: int = 12_000) -> bytes:
    """A PNG of nothing but black."""
    packer = zlib.compressobj(9)
    rows = io.BytesIO()
    line = bytes(1 + side * 3)
    for _ in range(side):
        rows.write(packer.compress(line))
    rows.write(packer.flush())
    parts = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", rows.getvalue()), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body
