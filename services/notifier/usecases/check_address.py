"""Check an address that somebody wants to be told at; it is checked again at every connection."""

from dataclasses import dataclass

from yarl import URL

from services.runtime.addresses import AddressRefused, check_url
from services.runtime.public_resolver import resolve_public


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What this installation allows: `allowed` are host and port pairs that need not be public."""

    allowed: frozenset[tuple[str, int]]
    https_only: bool
    own_host: str | None

    async def check(self, url: str, *, carries_secret: bool = False) -> str:
        """Return the address in its one form; raises AddressRefused. One that carries a secret openly needs https."""
        # An address of ours would only tell us what we said.
        own_hosts = {self.own_host} if self.own_host else ()
        checked = check_url(url, own_hosts=own_hosts, allowed=self.allowed)
        try:
            parsed = URL(checked).with_fragment(None)
        except (ValueError, TypeError):
            raise AddressRefused("url_malformed", "the address is not well formed") from None
        host, port = parsed.host or "", parsed.port or 0
        let_through = (host, port) in self.allowed
        if parsed.scheme != "https" and (self.https_only or (carries_secret and not let_through)):
            raise AddressRefused("https_required", "the address must start with https://")
        if not let_through:
            await resolve_public(host, port)
        return str(parsed)
