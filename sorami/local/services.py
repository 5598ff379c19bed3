"""Which services a stack runs, and the commands that go before them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """One service process: what it runs and what must be there before it starts."""

    name: str
    entry: str
    port_setting: str
    host_setting: str = ""
    # The fork server's stage of libraries after which it can be forked.
    stage: str = "all"
    # A service that needs no broker starts as soon as the database is migrated.
    needs_broker: bool = True
    needs_objects: bool = False
    health: str = "/readyz"
    # Where /metrics is, of a service that serves something else at its own port.
    internal_port_setting: str = ""
    # A spare is declared with the rest and started by name alone.
    is_spare: bool = False


@dataclass(frozen=True)
class Commands:
    """Run to their end before the services: entries answer an exit code."""

    migrate: str | None = "services.persistence.migrate:main"
    topics: str | None = "services.persistence.topics:main"


GATEWAY = Service(
    "gateway",
    "services.gateway.__main__:main",
    "SORAMI_PORT",
    "SORAMI_HOST",
    "web",
    needs_broker=False,
    internal_port_setting="SORAMI_GATEWAY_INTERNAL_PORT",
)
SERVICES = (
    GATEWAY,
    Service("persistence", "services.persistence.__main__:main", "SORAMI_PERSISTENCE_PORT", stage="broker"),
    Service("generator", "services.generator.__main__:main", "SORAMI_GENERATOR_PORT", needs_objects=True),
    Service(
        "notifier",
        "services.notifier.__main__:main",
        "SORAMI_NOTIFIER_PORT",
        "SORAMI_NOTIFIER_HOST",
        "broker",
        internal_port_setting="SORAMI_NOTIFIER_INTERNAL_PORT",
    ),
)
