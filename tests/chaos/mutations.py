"""Proof that the judge can fail: one guarantee is taken away, or one fact is bent, and it must turn red.

The product has no switch for any of this. A mutation is statements on the rig's own database and a patch that the rig's
launcher puts into the services it starts.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.judge import Judge, Verdict
from tests.chaos.load import Asked, Load
from tests.chaos.report import Entry, Report
from tests.chaos.rig import Rig
from tests.chaos.scenarios import SCENARIOS, chosen
from tests.support.product import Frame
from tests.support.providers.fake import KEY

SETTLES_WITHIN = 30.0


@dataclass(frozen=True)
class Mutation:
    """What is taken away, the scenario that needs it, and the invariants of which one must be violated."""

    words: str
    scenario: str
    breaks: frozenset[str]
    statements: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


_NO_REMINDERS = {"SORAMI_FORGOTTEN_SECONDS": "3600"}
"""The reconcilers send again what was lost; with them the judge rightly sees nothing."""

MUTATIONS = {
    "fence": Mutation(
        "nobody asks whether a lease is still held before a submit",
        "generator.zombie_at_claim",
        frozenset({"I8"}),
    ),
    "unique-key": Mutation(
        "dead letters have no key",
        "kafka.offsets_lost",
        frozenset({"I9"}),
        ("ALTER TABLE sorami.dead_letters DROP CONSTRAINT dead_letters_pkey",),
    ),
    "outbox": Mutation(
        "the gateway's event is not part of the transaction that causes it",
        "gateway.killed_after_commit",
        frozenset({"I1"}),
        settings=_NO_REMINDERS,
    ),
    "monotone": Mutation(
        "the last report wins",
        "persistence.wrong_reports",
        frozenset({"I2", "I3"}),
        tuple(
            f"DROP TRIGGER no_way_back ON {table}"
            for table in ("sorami.jobs", "image_generations", "video_generations")
        ),
    ),
}


def apply(name: str) -> None:
    """Bend this process; called by the rig's launcher before a service starts."""
    {"fence": _no_fence, "outbox": _no_outbox, "monotone": _no_guard}.get(name, lambda: None)()


def _no_fence() -> None:
    from services.generator.store import operations
    from services.generator.usecases.run_tasks import RunTasks

    runs: Any = RunTasks
    # Nor may anybody else tell it: a worker that thaws would be called off within a moment.
    runs.call_off = lambda *_, **__: None
    asks = "t.job_id = $1 AND t.fence = $2 AND t.state = 'running' FOR UPDATE OF t"
    assert asks in operations.BEGIN_ATTEMPT
    operations.BEGIN_ATTEMPT = operations.BEGIN_ATTEMPT.replace(asks, "t.job_id = $1 AND $2 > 0 FOR UPDATE OF t")


def _no_outbox() -> None:
    from services.gateway.usecases import request_generation

    module: Any = request_generation
    insert = module.insert_jobs

    async def insert_and_hope(pool: Any, *arguments: Any) -> Any:
        outcomes = await insert(pool, *arguments)
        ids = [outcome.outbox.id for outcome in outcomes.values() if outcome.outbox is not None]
        await pool.execute("DELETE FROM sorami.outbox_gateway WHERE id = ANY($1::bigint[])", ids)
        return outcomes

    module.insert_jobs = insert_and_hope


def _no_guard() -> None:
    from contracts.status import Completed, Failed, JobStatus, Moved, _moved
    from services.persistence.usecases import advance_jobs as module

    def last_wins(state: Any, report: Any) -> Moved:
        if isinstance(report, Completed):
            return _moved(state, JobStatus.COMPLETED, None, 100, report.fence)
        if isinstance(report, Failed):
            return _moved(state, JobStatus.FAILED, state.stage, state.progress, report.fence)
        return _moved(state, JobStatus.GENERATING, report.stage, report.progress, report.fence)

    module.reduce = last_wins  # type: ignore[attr-defined]


# ---- one fact bent, an invariant each


async def _lose_row(rig: Rig, load: Load) -> None:
    load.asked["never-there"] = Asked("never-there", "image", 1, "", remote=False)


async def _leave_end(rig: Rig, load: Load) -> None:
    await _execute(
        rig,
        "INSERT INTO chaos.transitions (source, job_id, status, progress) VALUES ('jobs', $1, 'GENERATING', 100)",
        load,
    )


async def _fall_back(rig: Rig, load: Load) -> None:
    load.polled[next(iter(load.asked))] = [("GENERATING", 60), ("GENERATING", 25)]


async def _change_object(rig: Rig, load: Load) -> None:
    await _execute(rig, "UPDATE sorami.files SET sha256 = repeat('0', 64) WHERE job_id = $1", load)


async def _notify_twice(rig: Rig, load: Load) -> None:
    await rig.product.pool.execute('DROP INDEX "notifications_userId_type_generation_key"')
    await _execute(
        rig,
        """INSERT INTO notifications (id, "userId", type, title, message, metadata)
           SELECT id || 'x', "userId", type, title, message, metadata FROM notifications
           WHERE metadata->>'generationId' = $1""",
        load,
    )


async def _forge_webhook(rig: Rig, load: Load) -> None:
    call = rig.receiver.at(load.path)[0]
    rig.receiver.calls.append(call.__class__(call.path, call.headers, call.body, call.raw + b" "))


async def _lay_orphan(rig: Rig, load: Load) -> None:
    # Of a job that has a row in a table of ours and none of files: the janitor may not touch it, and it is nobody's.
    await _put(rig, f"images/{load.tag}-nobody/image_1.png")


async def _pay_twice(rig: Rig, load: Load) -> None:
    paid = rig.provider.ledger.paid
    paid.append(next(one for one in paid if load.tag in one.body["prompt"]))


async def _leave_event(rig: Rig, load: Load) -> None:
    await rig.product.pool.execute(
        "INSERT INTO sorami.dead_letters VALUES ('job.progress', 99, 99, 'nobody', '', 'odd')"
    )


async def _skip_move(rig: Rig, load: Load) -> None:
    load.told.pop(len(load.told) // 2)


async def _show_stranger(rig: Rig, load: Load) -> None:
    load.stranger = load.person


async def _tell_secret(rig: Rig, load: Load) -> None:
    load.told.append(Frame(str(len(load.told) + 1), "job.updated", load.told[-1].data | {"message": load.marker}))


async def _tell_anothers_endpoint(rig: Rig, load: Load) -> None:
    call = rig.receiver.at(load.path)[0]
    rig.receiver.calls.append(call.__class__("/hooks/another", call.headers, call.body, call.raw))


async def _log_token(rig: Rig, load: Load) -> None:
    with rig.stack.log("gateway").open("a") as log:
        log.write(load.person.http.headers["Authorization"] + "\n")


async def _answer_with_key(rig: Rig, load: Load) -> None:
    load.refusals.append(httpx.Response(400, text=f"the provider said: {KEY}"))


async def _bury_prompt(rig: Rig, load: Load) -> None:
    await rig.product.pool.execute("UPDATE sorami.dead_letters SET detail = $1", f"cannot read {load.marker}")


BENT: dict[str, Callable[[Rig, Load], Awaitable[None]]] = {
    "I1": _lose_row,
    "I2": _leave_end,
    "I3": _fall_back,
    "I4": _change_object,
    "I5": _notify_twice,
    "I6": _forge_webhook,
    "I7": _lay_orphan,
    "I8": _pay_twice,
    "I9": _leave_event,
    "I10": _skip_move,
    "I11": _tell_anothers_endpoint,
    "I11.answers": _show_stranger,
    "I12": _tell_secret,
    "I12.logs": _log_token,
    "I12.answers": _answer_with_key,
    "I12.dead_letters": _bury_prompt,
}
"""By the invariant, and the place where more than one is looked at."""


async def _execute(rig: Rig, statement: str, load: Load) -> None:
    await rig.product.pool.execute(statement, next(iter(load.asked)))


async def _put(rig: Rig, key: str) -> None:
    async with rig.bucket() as (client, bucket):
        await client.put_object(Bucket=bucket, Key=key, Body=b"nobody's")


# ---- the proof


async def prove(report: Report, seed: int, only: str = "") -> None:
    """Play each mutation, then bend each fact; an entry is green when the judge turned red for the right reason."""
    chosen(full=True)
    for name, mutation in MUTATIONS.items():
        if f"mutation.{name}".startswith(only):
            await _prove_mutation(report, seed, name, mutation)
    if "bent".startswith(only):
        await _prove_invariants(report, seed)


async def _prove_mutation(report: Report, seed: int, name: str, mutation: Mutation) -> None:
    rig = Rig(report.folder / f"mutation-{name}", mutation=name, settings=mutation.settings)
    began = time.monotonic()
    async with rig.running():
        for statement in mutation.statements:
            await rig.product.pool.execute(statement)
        scenario = SCENARIOS[mutation.scenario]
        load = Load(rig, scenario.name, seed)
        judge = Judge(rig, load)
        await load.begin()
        await scenario.play(rig, load)
        await load.rest()
        rig.clear()
        verdict = await judge.verdict(SETTLES_WITHIN)
        await load.end()
    _enter(report, f"mutation.{name}", seed, mutation.words, mutation.breaks, verdict, time.monotonic() - began)


async def _prove_invariants(report: Report, seed: int) -> None:
    rig = Rig(report.folder / "bent")
    async with rig.running():
        load = Load(rig, "bent", seed)
        judge = Judge(rig, load)
        await load.begin()
        for body in ({"model": "instant"}, {"model": "fal-ai/flux/dev"}):
            await load.ask_many(3, **body)
        verdict = await judge.verdict()
        assert verdict.is_green, verdict.violations
        await load.end()
        # What was bent stays bent: each must add its own violation to those before.
        for name, bend in BENT.items():
            began = time.monotonic()
            await bend(rig, load)
            before = set(verdict.violations)
            verdict = await judge.verdict(2.0)
            words = (bend.__name__).strip("_").replace("_", " ")
            fresh = Verdict([one for one in verdict.violations if one not in before], verdict.figures)
            invariant = frozenset({name.partition(".")[0]})
            _enter(report, f"bent.{name}", seed, words, invariant, fresh, time.monotonic() - began)


def _enter(
    report: Report, name: str, seed: int, words: str, breaks: frozenset[str], verdict: Verdict, seconds: float
) -> None:
    seen = {invariant for invariant, _ in verdict.violations}
    entry = Entry(name, "issue 9, mutations", seed, words, "green" if seen & breaks else "red", seconds)
    found = [words for invariant, words in verdict.violations if invariant in breaks]
    entry.why = f"the judge saw {'/'.join(sorted(seen & breaks)) or 'nothing'}: {(found or [''])[0][:160]}"
    entry.figures = verdict.figures
    report.add(entry)
    print(f"  {entry.outcome:7} {name:24} {seconds:5.1f} s  {entry.why}", flush=True)
