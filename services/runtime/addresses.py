"""Which web addresses may be fetched for somebody: judged by their form alone, before and without any connection."""

import ipaddress
import re
import unicodedata
from collections.abc import Collection
from urllib.parse import SplitResult, unquote, urlsplit

import idna

MAX_URL = 2_048
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
PORTS = frozenset({80, 443})
# Names that never lead to the public internet: the special-use ones of the registries and those networks use inside.
_INSIDE = frozenset(
    {"localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "svc", "test", "invalid", "onion"}
    | {"home.arpa"}
)

# Everything that is not the public unicast internet, by the IANA special-purpose registries, and every IPv6 form that
# embeds an IPv4 address; `ipaddress.is_global` is no substitute, it takes several of these for public.
_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    ]
)


class AddressRefused(Exception):
    """The address is not one we fetch; `code` is stable. The text never tells what lies behind it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public unicast internet."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not any(parsed in network for network in _REFUSED if network.version == parsed.version)


def check_url(url: str, *, own_hosts: Collection[str] = (), allowed: Collection[tuple[str, int]] = ()) -> str:
    """Return the URL with its host as ASCII (an IDN as punycode); raises AddressRefused for a form that is not fetched.

    `own_hosts` are never fetched, `allowed` pairs of host and port always are. Where a public name leads is checked
    when it is connected to.
    """
    if len(url) > MAX_URL:
        raise AddressRefused("url_too_long", f"the address is longer than {MAX_URL} characters")
    if any(ord(character) <= 32 or character in "\\\x7f" for character in url):
        raise AddressRefused("url_malformed", "the address holds a character that no address may hold")
    try:
        parts = urlsplit(url)
        name = parts.hostname
    except ValueError:
        raise AddressRefused("url_malformed", "the address is not well formed") from None
    if parts.scheme not in ("http", "https"):
        raise AddressRefused("url_scheme", "the address must start with https:// or http://")
    if not name or parts.username is not None or parts.password is not None:
        raise AddressRefused("url_malformed", "the address must name a host and carry no user or password")
    host, port = ascii_host(name), _port(parts)
    if (host, port) in allowed:
        return _with_host(parts, host)
    if leads_inside(host) or host in own_hosts:
        raise AddressRefused("url_forbidden_address", "the address does not lead to the public internet")
    if port not in PORTS:
        raise AddressRefused("url_port", "only ports 80 and 443 are fetched")
    return _with_host(parts, host)


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        raise AddressRefused("url_port", "the address names no valid port") from None
    return port if port is not None else {"http": 80}.get(parts.scheme, 443)


def _with_host(parts: SplitResult, host: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port is not None else ""
    return parts._replace(netloc=shown + port).geturl()


def ascii_host(name: str) -> str:
    """Return a host as it is looked up: lower case, no last dot, an IDN as punycode, an IPv4 address as four numbers.

    Raises AddressRefused for what is no host at all.
    """
    malformed = AddressRefused("url_malformed", "the address names no valid host")
    if ":" in name:
        try:
            return str(ipaddress.IPv6Address(unquote(name).partition("%")[0]))
        except ValueError:
            raise malformed from None
    plain = unicodedata.normalize("NFKC", unquote(name)).lower()
    # A resolver takes one dot at the end, and three other characters for dots.
    plain = plain.replace("\u3002", ".").replace("\uff0e", ".").replace("\uff61", ".").removesuffix(".")
    try:
        number = _ipv4(plain)
        if number is not None:
            return number
        # Names of machines in use hold what IDNA forbids ("_", "--"), so it judges only those that need it.
        host = plain if plain.isascii() else idna.encode(plain, uts46=True).decode()
    except (ValueError, UnicodeError):
        raise malformed from None
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise malformed
    return host


def _ipv4(host: str) -> str | None:
    """Read an IPv4 address in every form that `inet_aton` takes; None for a name, ValueError for neither."""
    labels = host.split(".")
    if not _is_number(labels[-1]):
        return None
    if len(labels) > 4:
        raise ValueError(host)
    *first, last = [_number(label) for label in labels]
    if any(part > 255 for part in first) or last >= 256 ** (4 - len(first)):
        raise ValueError(host)
    value = last + sum(part << (8 * (3 - place)) for place, part in enumerate(first))
    return str(ipaddress.IPv4Address(value))


def _is_number(label: str) -> bool:
    return label.isascii() and (label.isdigit() or (label[:2] == "0x" and (label == "0x" or _number(label) >= 0)))


def _number(label: str) -> int:
    if label[:2] == "0x":
        return int(label[2:] or "0", 16)
    if not label.isdigit():
        raise ValueError(label)
    return int(label, 8) if label[0] == "0" and len(label) > 1 else int(label)


def leads_inside(host: str) -> bool:
    """Tell whether a host (as `ascii_host` writes it) can only be one of a private network or this machine."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        return len(labels) == 1 or labels[-1] in _INSIDE or ".".join(labels[-2:]) in _INSIDE
    return not is_public(host)
