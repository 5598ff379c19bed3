"""The providers that render in this process: each is made once, with the children that may draw for it."""

from collections.abc import Callable
from typing import Final

from services.generator.providers.base import Provider
from services.generator.providers.instant import InstantProvider
from services.generator.providers.procedural.provider import ProceduralProvider
from services.generator.render_pool import RenderPool

LOCAL: Final[list[Callable[[RenderPool], Provider]]] = [ProceduralProvider, lambda _: InstantProvider()]


def local_providers(pool: RenderPool) -> dict[str, Provider]:
    """Make every local provider, by its name."""
    return {provider.name: provider for provider in (make(pool) for make in LOCAL)}
