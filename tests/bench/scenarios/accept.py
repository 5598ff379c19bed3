"""Accepted jobs a second: row and event committed before the 202, while the whole pipeline works on what came."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from tests.bench import queues, wrk
from tests.bench.bare import bare
from tests.bench.loading import push
from tests.bench.plan import Plan
from tests.bench.product import product
from tests.bench.report import Row
from tests.bench.running import Measured, Side, Values, interleave
from tests.bench.seeds import seeds

TASKS = 3_000


@asynccontextmanager
async def _sides(plan: Plan) -> AsyncIterator[dict[str, Side]]:
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(
            product(entries={"generator": "tests.bench.launch:generator_without_objects"}, jobs=plan.jobs)
        )
        theirs = await stack.enter_async_context(seeds(ours.stack.env["DATABASE_URL"]))
        ceiling = await stack.enter_async_context(bare())

        async def of_ours() -> Values:
            found = await push(ours, plan.seconds, patience=120)
            await ours.quiet()
            return {"accepted": found["accepted"]}

        async def of_seeds() -> Values:
            found = await push(theirs, plan.seconds, patience=plan.seconds)
            await theirs.again()
            return {"accepted": found["accepted"]}

        async def of_bare() -> Values:
            load = await wrk.post(ceiling, "/api/images/generate", seconds=2, tokens=ours.tokens, fields="")
            return {"accepted": load.rate}

        sides: dict[str, Side] = {"ours": of_ours, "seeds": of_seeds, "bare": of_bare}
        if queues.is_there("redis-server"):
            address = await stack.enter_async_context(queues.redis())
            celery = queues.celery(address)

            async def of_celery() -> Values:
                return {"accepted": await celery.enqueue(TASKS)}

            sides["celery"] = of_celery
        yield sides


def rows(measured: Measured) -> list[Row]:
    def row(figure: str, what: str, to: str | None = None, goal: float | None = None) -> Row:
        spread = measured.of(what) if to is None else measured.ratio(what, to)
        return Row("accept", figure, "/s" if to is None else "x", spread, goal, foreign=measured.foreign)

    found = [
        row("accepted, the whole pipeline running", "ours.accepted"),
        row("the seeds accept", "seeds.accepted"),
        row("accepted, to the seeds", "ours.accepted", "seeds.accepted", 3),
        row("accepted, to Starlette without a database", "ours.accepted", "bare.accepted", 0.22),
    ]
    if any("celery.accepted" in one.values for one in measured.rounds):
        found += [
            row("Celery's delay, Redis without persistence", "celery.accepted"),
            row("accepted, to Celery's delay", "ours.accepted", "celery.accepted", 3),
        ]
    return found


async def run(plan: Plan) -> list[Row]:
    async with _sides(plan) as sides:
        return rows(await interleave(sides, rounds=plan.rounds))
