"""From a leased task to the order that a provider gets."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from contracts.kinds import parse_size
from services.generator.providers.base import Order
from services.generator.store.leases import Claim

ReadInput = Callable[[str, str, Path], Awaitable[Path]]
"""Brings an input image (address, owner id) into a folder; raises ProviderFailed."""


async def make_order(claim: Claim, read_input: ReadInput | None, folder: Path) -> Order:
    """Build the order, its input image in the folder (None leaves that to the provider); raises ProviderFailed."""
    asked = claim.request
    width, height = parse_size(asked.size)
    source = None
    if asked.input_image_url and read_input is not None:
        source = await read_input(asked.input_image_url, claim.owner_id, folder)
    return Order(
        job_id=claim.job_id,
        kind=claim.kind,
        prompt=asked.prompt,
        model=claim.model,
        count=asked.count,
        width=width,
        height=height,
        format=asked.format,
        style=asked.style,
        quality=asked.quality,
        workdir=folder,
        seed=asked.options.get("seed"),
        caption=asked.options.get("caption"),
        duration_seconds=asked.options.get("duration_seconds"),
        fps=asked.options.get("fps"),
        input_image=source,
        input_image_url=asked.input_image_url,
        user_id=claim.owner_id,
        lifetime_seconds=claim.seconds_left,
    )
