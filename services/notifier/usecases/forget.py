"""What the notifier keeps for a while only."""

from services.notifier.settings import NotifierSettings
from services.notifier.store.deliveries import DUE_DELIVERIES, FORGET_DELIVERIES
from services.runtime.retention import Rule, days


def rules(settings: NotifierSettings) -> list[Rule]:
    """Return the rules of these settings; a delivery goes with its attempts."""
    number = settings.delivery_days
    kept = f"{days(number)} after their end"
    return [Rule("deliveries", kept, "SORAMI_DELIVERY_DAYS", DUE_DELIVERIES, FORGET_DELIVERIES, (number,))]
