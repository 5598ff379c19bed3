"""What stands between a task and a provider."""

from dataclasses import dataclass

from services.generator.usecases.moderate import Moderate
from services.generator.usecases.take_detour import TakeDetour
from services.generator.usecases.watch_health import WatchHealth


@dataclass(frozen=True, slots=True)
class Gates:
    """How providers fare, who else may render, and what nobody may ask for."""

    health: WatchHealth
    detour: TakeDetour
    moderate: Moderate
