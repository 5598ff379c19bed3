"""Where a client may connect: to addresses of the public internet alone, the very ones that were checked."""

import asyncio
import ipaddress
import socket
from typing import Any

from services.runtime.addresses import AddressRefused, is_public


def forbidden_address() -> AddressRefused:
    """Build the refusal of an address; a name that does not exist and one that leads inside get the same words."""
    return AddressRefused("url_forbidden_address", "the address does not lead to the public internet")


async def resolve_public(host: str, port: int, family: int = 0) -> list[tuple[int, str]]:
    """Return the families and addresses of a host, all of them public; raises AddressRefused."""
    try:
        found = await _resolve(host, port, family)
    except (OSError, UnicodeError):
        raise forbidden_address() from None
    # One private answer among public ones is how a name is rebound: all must be public.
    if not found or not all(is_public(address) for _, address in found):
        raise forbidden_address()
    return found


async def _resolve(host: str, port: int, family: int) -> list[tuple[int, str]]:
    loop = asyncio.get_running_loop()
    answers = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    return [(int(answer[0]), str(answer[4][0])) for answer in answers]


class PublicResolver:
    """A resolver for aiohttp's connector; `allowed` are hosts and ports that need not be public."""

    def __init__(self, allowed: frozenset[tuple[str, int]] = frozenset()) -> None:
        self._allowed = allowed

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[dict[str, Any]]:
        """Return aiohttp's form of the addresses; raises AddressRefused."""
        let_through = (host, port) in self._allowed
        found = await (_resolve if let_through else resolve_public)(host, port, family)
        return [
            {"hostname": host, "host": address, "port": port, "family": kind, "proto": 0, "flags": 0}
            for kind, address in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


def check_literal(host: str, port: int, allowed: frozenset[tuple[str, int]]) -> None:
    """Refuse an IP address that is not public: a connector asks no resolver about those. Raises AddressRefused."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    if (host, port) not in allowed and not is_public(host):
        raise forbidden_address()
