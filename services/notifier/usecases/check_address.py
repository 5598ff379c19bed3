"""Check an address that somebody wants to be told at; it is checked again at every connection."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from yarl import URL

from services.runtime.guarded_http import AddressRefused, check_literal, check_url, forbidden_address, resolve_public

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What this installation allows: `allowed` are host and port pairs that need not be public."""

    allowed: frozenset[tuple[str, int]]
    https_only: bool
    own_host: str | None

    async def check(self, url: str, *, carries_secret: bool = False) -> str:
        """Return the address in its one form; raises AddressRefused. One that carries a secret openly needs https."""
        check_url(url, any_port=True)
        try:
            normal = str(URL(url).with_fragment(None))
        except (ValueError, TypeError):
            raise AddressRefused("url_malformed", "the address is not well formed") from None
        parts = urlsplit(check_url(normal, any_port=True))
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        let_through = (host, port) in self.allowed
        if parts.scheme != "https" and (self.https_only or (carries_secret and not let_through)):
            raise AddressRefused("https_required", "the address must start with https://")
        if let_through:
            return normal
        check_url(normal)
        check_literal(host, port, self.allowed)
        # An address of ours would only tell us what we said.
        if host == self.own_host:
            raise forbidden_address()
        await resolve_public(host, port)
        return normal
