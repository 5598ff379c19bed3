"""What the generator counts."""

from prometheus_client import Counter

from services.runtime.metrics import REGISTRY

JANITOR_LOOKED = Counter("sorami_janitor_looked_at_objects", "Objects the janitor looked at.", registry=REGISTRY)
JANITOR_REMOVED = Counter(
    "sorami_janitor_removed",
    "What no row named: objects by folder, uploads nobody finished, folders of crashed work.",
    ["what"],
    registry=REGISTRY,
)
UNSIGNED = Counter("sorami_media_unsigned", "Files stored without the manifest they should have.", registry=REGISTRY)
