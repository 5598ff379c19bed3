"""What the gateway keeps for a while only."""

from contracts.media_days import EVERYBODY, shortest
from services.gateway.settings import GatewaySettings
from services.gateway.store.deletions import DELETE_OLD_MEDIA, DUE_MEDIA
from services.gateway.store.jobs import KEY_HOURS
from services.gateway.store.limits import DUE_ALLOWANCES, DUE_KEYS, FORGET_ALLOWANCES, FORGET_KEYS
from services.runtime.retention import Rule, days


def rules(settings: GatewaySettings) -> list[Rule]:
    """Return the rules of these settings."""
    return [
        Rule("idempotency keys", f"{KEY_HOURS} hours", None, DUE_KEYS, FORGET_KEYS),
        Rule("shares of limits", days(1), None, DUE_ALLOWANCES, FORGET_ALLOWANCES),
        _media(settings),
    ]


def _media(settings: GatewaySettings) -> Rule:
    """Generations of an age that their policy names are deleted as their owners would: restorable for a while."""
    policy = settings.media_days
    least = shortest(policy)
    if least is None:
        return Rule("media", "for ever", "SORAMI_MEDIA_DAYS")
    said = ", ".join(
        f"{name or 'everybody'} {days(number) if number else 'for ever'}" for name, number in policy.items()
    )
    own = {name: number for name, number in policy.items() if name != EVERYBODY}
    values = (least, policy.get(EVERYBODY, 0.0), list(own), list(own.values()), settings.restore_days)
    return Rule("media", f"{said}; favourites stay", "SORAMI_MEDIA_DAYS", DUE_MEDIA, DELETE_OLD_MEDIA, values)
