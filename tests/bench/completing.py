"""Completed jobs a second against the seeds, for what differs between scenarios in how the generator is started."""

from contextlib import AsyncExitStack

from tests.bench import queues
from tests.bench.loading import push
from tests.bench.plan import Plan
from tests.bench.product import product
from tests.bench.running import Measured, Side, Values, interleave
from tests.bench.seeds import seeds

TASKS = 3_000
PATIENCE = 4
"""Times the seconds of load that a side gets to complete what it accepted."""


async def completing(plan: Plan, *, generator: str | None, steps: int, peers: bool = False) -> Measured:
    """Measure ours, with this entry for the generator, the seeds with so many webhooks of progress, and queues."""
    async with AsyncExitStack() as stack:
        entries = {"generator": generator} if generator else {}
        ours = await stack.enter_async_context(product(entries=entries, jobs=plan.jobs))
        theirs = await stack.enter_async_context(seeds(ours.stack.env["DATABASE_URL"], steps=steps))

        async def of_ours() -> Values:
            found = await push(ours, plan.seconds, patience=120)
            await ours.quiet()
            return found

        async def of_seeds() -> Values:
            found = await push(theirs, plan.seconds, patience=PATIENCE * plan.seconds)
            await theirs.again()
            return found

        sides: dict[str, Side] = {"ours": of_ours, "seeds": of_seeds}
        if peers:
            sides |= await _peers(stack, theirs.database_url)
        return await interleave(sides, rounds=plan.rounds)


async def _peers(stack: AsyncExitStack, database_url: str) -> dict[str, Side]:
    procrastinate = queues.procrastinate(database_url)
    sides: dict[str, Side] = {"procrastinate": lambda: procrastinate.measure(TASKS // 3)}
    if queues.is_there("redis-server"):
        address = await stack.enter_async_context(queues.redis())
        celery, taskiq = queues.celery(address), queues.taskiq(address)
        sides |= {"celery": lambda: celery.measure(TASKS), "taskiq": lambda: taskiq.measure(TASKS)}
    return sides
