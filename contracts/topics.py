"""Every topic once: its name, its key and how long it is kept. Nothing else may spell a topic."""

from dataclasses import dataclass

PARTITIONS = 12
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic; records are keyed by `key` (hashed with murmur2, Kafka's default) and kept for `retention_ms`."""

    name: str
    sent_by: tuple[str, ...] = ()
    key: str = "job id"
    partitions: int = PARTITIONS
    retention_ms: int = 7 * DAY_MS

    @property
    def dead_letters(self) -> "Topic":
        return Topic(f"{self.name}.dlq", (), self.key, self.partitions, 30 * DAY_MS)


JOB_REQUESTED = Topic("job.requested", sent_by=("gateway", "persistence"))
JOB_CANCEL_REQUESTED = Topic("job.cancel-requested", sent_by=("gateway", "persistence"))
JOB_PROGRESS = Topic("job.progress", sent_by=("generator", "gateway"))
JOB_COMPLETED = Topic("job.completed", sent_by=("generator", "gateway", "persistence"))
JOB_FAILED = Topic("job.failed", sent_by=("generator", "gateway", "persistence"))
JOB_UPDATED = Topic("job.updated", sent_by=("persistence",))
NOTIFICATION_CREATED = Topic("notification.created", sent_by=("persistence",), key="user id")
NOTIFICATION_REQUESTED = Topic("notification.requested", sent_by=("notifier",), key="user id")
MEDIA_DELETED = Topic("media.deleted", sent_by=("persistence",))
PROVIDER_NOTIFIED = Topic("provider.notified", sent_by=("gateway",))

TOPICS = (
    JOB_REQUESTED,
    JOB_CANCEL_REQUESTED,
    JOB_PROGRESS,
    JOB_COMPLETED,
    JOB_FAILED,
    JOB_UPDATED,
    NOTIFICATION_CREATED,
    NOTIFICATION_REQUESTED,
    MEDIA_DELETED,
    PROVIDER_NOTIFIED,
)


def all_topics() -> tuple[Topic, ...]:
    """Return every topic and its dead letters."""
    return TOPICS + tuple(topic.dead_letters for topic in TOPICS)
