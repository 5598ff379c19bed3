"""What the notifier's routes and handlers use, made by somebody else."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.notifier.channels.streams import Hub
from services.notifier.settings import NotifierSettings
from services.notifier.usecases.deliver_webhooks import DeliverWebhooks
from services.notifier.usecases.job_endpoints import JobEndpoints
from services.notifier.usecases.manage_endpoints import ManageEndpoints
from services.notifier.usecases.plan_deliveries import PlanDeliveries
from services.notifier.usecases.send_again import SendAgain
from services.notifier.usecases.stream_tickets import StreamTickets
from services.notifier.usecases.watch_jobs import WatchJobs
from services.runtime.callers import own_origins
from services.runtime.database import Pool
from services.runtime.health import Check
from services.runtime.identity import Identities


@dataclass(frozen=True, slots=True)
class Parts:
    """All that the notifier's routes and handlers use; no endpoint is managed where no key seals its secret."""

    settings: NotifierSettings
    pool: Pool
    identities: Identities
    hub: Hub
    watch_jobs: WatchJobs
    stream_tickets: StreamTickets
    plan_deliveries: PlanDeliveries
    deliver_webhooks: DeliverWebhooks
    manage_endpoints: ManageEndpoints | None
    job_endpoints: JobEndpoints
    send_again: SendAgain
    checks: Mapping[str, Check]

    @property
    def own_origins(self) -> frozenset[str]:
        """Origins whose pages may write with our cookie."""
        return own_origins(self.settings.public_url, self.settings.cors_origins)
