"""What the bell says when a job ends: the seeds' words (M1) and their siblings for videos and failures."""

import re
from dataclasses import dataclass

from contracts.failures import Failure, FailureCode
from contracts.kinds import KINDS, Kind
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


_COMPLETED_EN = {
    "image": ("🎨 Images made", "{count} image(s) made."),
    "video": ("🎬 Videos made", "{count} video(s) made."),
}
_FAILED_TITLE_EN = "The generation failed"
_COUNT = re.compile(r"\d+")
_FAILURES = [Failure.of(code, "") for code in FailureCode]
_FAILURES.append(Failure.of(FailureCode.INVALID_INPUT, "").model_copy(update={"reason": "url_"}))
_FAILURE_OF = {failure_sentence(failure, "fr"): failure for failure in _FAILURES}


def in_language(notice: Notice, language: str) -> Notice:
    """Say a stored notice in a language; rows hold the seeds' French, and what is not ours stays as it is."""
    if language != "en":
        return notice
    for kind in KINDS.values():
        if notice.type == kind.completed_type and kind.name in _COMPLETED_EN:
            title, message = _COMPLETED_EN[kind.name]
            count = _COUNT.search(notice.message)
            return Notice(notice.type, title, message.format(count=count[0]) if count else notice.message)
        if notice.type == kind.failed_type:
            failure = _FAILURE_OF.get(notice.message)
            said = failure_sentence(failure, "en") if failure else notice.message
            return Notice(notice.type, _FAILED_TITLE_EN, said)
    return notice
