"""The prompt for providers that have no fields of their own for style and caption."""

from services.generator.providers.base import Order


def full_prompt(order: Order) -> str:
    """Return the prompt with the style and the caption in words."""
    parts = [order.prompt]
    if order.style:
        parts.append(f"Style: {order.style}.")
    if order.caption:
        parts.append(f'With the text: "{order.caption}".')
    return "\n\n".join(parts)
