"""What the handlers of persistence use, made by somebody else."""

from dataclasses import dataclass

from services.persistence.usecases.advance_jobs import AdvanceJobs
from services.persistence.usecases.index_prompts import IndexPrompts
from services.persistence.usecases.purge_deleted import PurgeDeleted
from services.persistence.usecases.reconcile_jobs import ReconcileJobs
from services.persistence.usecases.write_notices import WriteNotices


@dataclass(frozen=True, slots=True)
class Parts:
    """All that the handlers of persistence use."""

    advance_jobs: AdvanceJobs
    reconcile_jobs: ReconcileJobs
    index_prompts: IndexPrompts
    purge_deleted: PurgeDeleted
    write_notices: WriteNotices
