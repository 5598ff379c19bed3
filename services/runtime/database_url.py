"""DATABASE_URL as people write it (Prisma's too) into what asyncpg understands."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

# A host without a port, or with one in figures; a name in brackets is an IPv6 address.
PORT = re.compile(r"^(\[[^]]*\]|[^:\[\]]*)(:\d*)?$")
SCHEMES = ("postgres", "postgresql")

# What asyncpg reads itself; everything else in a query would reach the server as a setting it does not know.
KEPT = frozenset(
    {
        "host",
        "port",
        "user",
        "password",
        "passfile",
        "sslmode",
        "sslcert",
        "sslkey",
        "sslrootcert",
        "sslcrl",
        "sslpassword",
        "sslnegotiation",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
        "target_session_attrs",
        "krbsrvname",
        "gsslib",
        "application_name",
        "options",
    }
)


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Where the database is; `dsn` holds the password and is never printed."""

    dsn: str = field(repr=False)
    schema: str = "public"
    through_pooler: bool = False
    connect_timeout: float | None = None

    @property
    def server_settings(self) -> dict[str, str]:
        """What every connection of ours sets: Prisma's tables are found unqualified, and clocks speak UTC."""
        return {"search_path": quote_identifier(self.schema), "timezone": "UTC"}


def parse_database_url(url: str) -> DatabaseAddress:
    """Read `postgres://`, `postgresql://`, `postgresql+<driver>://`, with Prisma's query or libpq's."""
    parts = urlsplit(url.strip().strip("\"'"))
    scheme = parts.scheme.partition("+")[0].lower()
    if scheme not in SCHEMES or not (parts.netloc or parts.query):
        raise ValueError("DATABASE_URL must look like postgresql://user:password@host:5432/name?schema=public")
    if parts.fragment:
        raise ValueError("DATABASE_URL has a bare '#': in a password write it as %23")
    if not all(PORT.search(host) for host in parts.netloc.rpartition("@")[2].split(",")):
        raise ValueError("DATABASE_URL has a port that is no number; in a password write '/' as %2F and '@' as %40")
    try:
        query = dict(parse_qsl(parts.query, keep_blank_values=False, strict_parsing=bool(parts.query)))
        schema, pooler, timeout = _prisma_options(query)
    except ValueError as error:
        raise ValueError(f"DATABASE_URL has a query that cannot be read: {error}") from None
    # Prisma's `sslcert` is the authority's certificate; libpq's comes with a key.
    if "sslcert" in query and "sslkey" not in query:
        query.setdefault("sslrootcert", query.pop("sslcert"))
    kept = {name: value for name, value in query.items() if name in KEPT}
    dsn = f"postgresql://{parts.netloc}{parts.path}" + (f"?{urlencode(kept)}" if kept else "")
    return DatabaseAddress(dsn=dsn, schema=schema, through_pooler=pooler, connect_timeout=timeout)


def _prisma_options(query: dict[str, str]) -> tuple[str, bool, float | None]:
    timeout = query.get("connect_timeout")
    try:
        seconds = float(timeout) if timeout else None
    except ValueError:
        raise ValueError("connect_timeout is not a number") from None
    # Prisma and libpq: 0 waits for ever.
    return query.get("schema") or "public", query.get("pgbouncer") == "true", seconds or None


def quote_identifier(name: str) -> str:
    """A name as SQL takes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'
