"""Where webhooks may go: what an address may look like when it is given, and what it must lead to."""

from dataclasses import dataclass
from urllib.parse import urldefrag, urlsplit

from services.runtime.addresses import AddressRefused, check_url
from services.runtime.public_resolver import resolve_public


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What this installation allows: `allowed` are host and port pairs that need not be public."""

    allowed: frozenset[tuple[str, int]]
    https_only: bool
    own_host: str | None

    def form(self, url: str, *, carries_secret: bool = False) -> str:
        """Return the address without fragment, judged by its form alone; raises AddressRefused.

        One that carries a secret openly needs https.
        """
        # An address of ours would only tell us what we said.
        own_hosts = {self.own_host} if self.own_host else ()
        checked = urldefrag(check_url(url, own_hosts=own_hosts, allowed=self.allowed)).url
        if urlsplit(checked).scheme != "https" and (
            self.https_only or (carries_secret and not self._lets_through(checked))
        ):
            raise AddressRefused("https_required", "the address must start with https://")
        return checked

    async def check(self, url: str, *, carries_secret: bool = False) -> str:
        """Return the address in the spelling that is sent to, when it leads to the public internet now.

        It is checked again at every connection. Raises AddressRefused.
        """
        from yarl import URL

        try:
            parsed = URL(self.form(url, carries_secret=carries_secret))
        except (ValueError, TypeError):
            raise AddressRefused("url_malformed", "the address is not well formed") from None
        if not self._lets_through(str(parsed)):
            await resolve_public(parsed.host or "", parsed.port or 0)
        return str(parsed)

    def _lets_through(self, url: str) -> bool:
        parts = urlsplit(url)
        port = parts.port or {"http": 80}.get(parts.scheme, 443)
        return (parts.hostname or "", port) in self.allowed
