"""Where a client may connect: to addresses of the public internet alone, the very ones that were checked."""

import asyncio
import socket

from services.runtime.addresses import AddressRefused, is_public


def forbidden_address() -> AddressRefused:
    """Build the refusal of an address; a name that does not exist and one that leads inside get the same words."""
    return AddressRefused("url_forbidden_address", "the address does not lead to the public internet")


async def resolve_public(host: str, port: int) -> list[str]:
    """Return the addresses of a host, all of them public; raises AddressRefused."""
    try:
        found = await resolve_any(host, port)
    except (OSError, UnicodeError):
        raise forbidden_address() from None
    # One private answer among public ones is how a name is rebound: all must be public.
    if not found or not all(is_public(address) for address in found):
        raise forbidden_address()
    return found


async def resolve_any(host: str, port: int) -> list[str]:
    """Return the addresses of a host; raises OSError, and UnicodeError for what cannot be a name."""
    answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(answer[4][0]) for answer in answers]
