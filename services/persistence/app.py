"""The wiring of persistence: topics to use cases, from parts that somebody else made."""

from collections.abc import Awaitable, Callable, Sequence

from services.persistence.parts import Parts
from services.persistence.settings import PersistenceSettings
from services.persistence.usecases.advance_jobs import AdvanceJobs
from services.persistence.usecases.index_prompts import IndexPrompts
from services.persistence.usecases.purge_deleted import PurgeDeleted
from services.persistence.usecases.reconcile_jobs import ReconcileJobs
from services.persistence.usecases.write_notices import WriteNotices
from services.runtime.consumer import DeadLetter
from services.runtime.database import Pool
from services.runtime.relay import Relay


def build_app(
    settings: PersistenceSettings,
    pool: Pool,
    relay: Relay,
    bury: Callable[[Sequence[DeadLetter]], Awaitable[None]],
) -> Parts:
    """Wire the use cases; nothing is connected here."""
    advance_jobs = AdvanceJobs(pool, relay.offer, bury, public_url=settings.public_url)
    return Parts(
        advance_jobs=advance_jobs,
        reconcile_jobs=ReconcileJobs(pool, advance_jobs, relay.offer, forgotten_after=settings.forgotten_after),
        index_prompts=IndexPrompts(pool),
        purge_deleted=PurgeDeleted(pool, relay.offer, every=settings.forgotten_after / 4),
        write_notices=WriteNotices(pool, relay.offer),
    )
