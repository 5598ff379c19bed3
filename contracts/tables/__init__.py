"""Every table of both schemas; each docstring names its only writer, and the grants make it true.

Hot statements are asyncpg's: these classes declare, and the migrations and `schema.prisma` are checked
against them.
"""

from contracts.tables.columns import OWN_SCHEMA, Row
from contracts.tables.identity import ApiKey, AuditEntry, Session, SigninState, SigninTicket
from contracts.tables.library import (
    Album,
    AlbumItem,
    Deletion,
    Favourite,
    NotificationMark,
    NotificationRead,
    SearchDocument,
    SearchPending,
    SearchWord,
    Share,
    ShareAttempt,
)
from contracts.tables.media import GoneMedia, Upload, UploadDay
from contracts.tables.prisma import (
    ImageFile,
    ImageGeneration,
    Notification,
    Organization,
    OrganizationMembership,
    User,
    VideoFile,
    VideoGeneration,
)
from contracts.tables.requests import Allowance, Batch, Cancellation, IdempotencyKey
from contracts.tables.sharing import Line, Pause, Turn, Worker
from contracts.tables.sorami import (
    BackendReport,
    DeadLetter,
    File,
    Job,
    JobEvent,
    Operation,
    Orphan,
    OutboxGateway,
    OutboxGenerator,
    OutboxNotifier,
    OutboxPersistence,
    ProviderHealth,
    SchemaMigration,
    Task,
    UserCounter,
)
from contracts.tables.webhooks import (
    Delivery,
    DeliveryAttempt,
    JobWebhook,
    StreamTicket,
    WebhookEndpoint,
    WebhookSecret,
)

metadata = Row.metadata

__all__ = [
    "OWN_SCHEMA",
    "Album",
    "AlbumItem",
    "Allowance",
    "ApiKey",
    "AuditEntry",
    "BackendReport",
    "Batch",
    "Cancellation",
    "DeadLetter",
    "Deletion",
    "Delivery",
    "DeliveryAttempt",
    "Favourite",
    "File",
    "GoneMedia",
    "IdempotencyKey",
    "ImageFile",
    "ImageGeneration",
    "Job",
    "JobEvent",
    "JobWebhook",
    "Line",
    "Notification",
    "NotificationMark",
    "NotificationRead",
    "Operation",
    "Organization",
    "OrganizationMembership",
    "Orphan",
    "OutboxGateway",
    "OutboxGenerator",
    "OutboxNotifier",
    "OutboxPersistence",
    "Pause",
    "ProviderHealth",
    "Row",
    "SchemaMigration",
    "SearchDocument",
    "SearchPending",
    "SearchWord",
    "Session",
    "Share",
    "ShareAttempt",
    "SigninState",
    "SigninTicket",
    "StreamTicket",
    "Task",
    "Turn",
    "Upload",
    "UploadDay",
    "User",
    "UserCounter",
    "VideoFile",
    "VideoGeneration",
    "WebhookEndpoint",
    "WebhookSecret",
    "Worker",
    "metadata",
]
