"""What the notifier's routes and handlers use, made by somebody else."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.notifier.channels.streams import Hub
from services.notifier.settings import NotifierSettings
from services.notifier.usecases.deliver_webhooks import DeliverWebhooks
from services.notifier.usecases.plan_deliveries import PlanDeliveries
from services.notifier.usecases.watch_jobs import WatchJobs
from services.runtime.health import Check
from services.runtime.identity import Identities


@dataclass(frozen=True, slots=True)
class Parts:
    """All that the notifier's routes and handlers use."""

    settings: NotifierSettings
    identities: Identities
    hub: Hub
    watch_jobs: WatchJobs
    plan_deliveries: PlanDeliveries
    deliver_webhooks: DeliverWebhooks
    checks: Mapping[str, Check]

    @property
    def delivers(self) -> bool:
        """Whether anybody is told by webhook."""
        return bool(self.settings.legacy_urls())
