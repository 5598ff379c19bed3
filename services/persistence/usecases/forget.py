"""What persistence keeps for a while only."""

from services.persistence.settings import PersistenceSettings
from services.persistence.store.forgotten import (
    DUE_EVENTS,
    DUE_LETTERS,
    DUE_ORPHANS,
    FORGET_EVENTS,
    FORGET_LETTERS,
    FORGET_ORPHANS,
)
from services.runtime.retention import Rule, days


def rules(settings: PersistenceSettings) -> list[Rule]:
    """Return the rules of these settings; nothing that waits for a decision ever goes."""
    events, decided = settings.event_days, settings.decided_days
    kept = f"{days(decided)} after it was decided"
    return [
        Rule("job events", days(events), "SORAMI_EVENT_DAYS", DUE_EVENTS, FORGET_EVENTS, (events,)),
        Rule("dead letters", kept, "SORAMI_DECIDED_DAYS", DUE_LETTERS, FORGET_LETTERS, (decided,)),
        Rule("orphans", kept, "SORAMI_DECIDED_DAYS", DUE_ORPHANS, FORGET_ORPHANS, (decided,)),
    ]
