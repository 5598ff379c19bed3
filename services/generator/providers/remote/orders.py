"""An order in the words of request templates, and seeds for providers that need one."""

import hashlib
from typing import Any

from services.generator.providers.base import Order
from services.generator.providers.remote.prompts import full_prompt


def template_values(
    order: Order, *, seed: int | None, input_image: str | None, model: str | None = None
) -> dict[str, Any]:
    """Return the fields that `request_templates.FIELDS` names."""
    return {
        "prompt": full_prompt(order),
        "model": model or order.model,
        "width": order.width,
        "height": order.height,
        "size": f"{order.width}x{order.height}",
        "count": order.count,
        "seed": seed,
        "format": order.format.lower(),
        "quality": order.quality,
        "style": order.style,
        "duration_seconds": order.duration_seconds,
        "fps": order.fps,
        "input_image": input_image,
        "job_id": order.job_id,
    }


def any_seed(order: Order, submit_key: str) -> int:
    """Return the order's seed, or one made from the submit key: then the request can be told from any other."""
    if order.seed is not None:
        return order.seed
    return int.from_bytes(hashlib.sha256(submit_key.encode()).digest()[:4], "big") & 0x7FFF_FFFF
