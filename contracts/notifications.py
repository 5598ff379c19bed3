"""What the bell says when a job ends: the seeds' words (M1) and their siblings for videos and failures."""

from dataclasses import dataclass

from contracts.failures import Failure
from contracts.kinds import Kind
from contracts.messages import FAILED_TITLE, failure_sentence
from contracts.status import JobStatus


@dataclass(frozen=True, slots=True)
class Notice:
    """The text of a notification, in the seeds' French."""

    type: str
    title: str
    message: str


def notice_for(kind: Kind, status: JobStatus, file_count: int, failure: Failure | None) -> Notice | None:
    """Say what to notify at the end of a job; a cancelled job notifies nobody, since its owner asked for it."""
    if status is JobStatus.COMPLETED:
        return Notice(kind.completed_type, kind.completed_title, kind.completed_message.format(count=file_count))
    if status is JobStatus.FAILED and failure is not None:
        return Notice(kind.failed_type, FAILED_TITLE, failure_sentence(failure))
    return None
