"""The rig: the product's own stack as real processes, with a proxy between every pair and a way to break each part."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import aioboto3
import asyncpg

from services.runtime import failpoints
from sorami.local import kafka as local_kafka
from sorami.local import ports, unprivileged
from sorami.local.errors import StackError
from sorami.local.home import Home
from sorami.local.seaweed import PORTS as OBJECT_PORTS
from sorami.local.services import SERVICES, Commands, Service
from sorami.local.stack import Stack
from sorami.local.supervisor import Phase
from tests.chaos import launch
from tests.chaos.frost import Frost
from tests.chaos.nodes import Nodes
from tests.chaos.proxy import Proxy
from tests.support.ports import free_ports
from tests.support.product import SECRET, Person, Product
from tests.support.providers.fake import KEY
from tests.support.providers.fal import FakeFal
from tests.support.receiver import Receiver

LINKS = {
    "gateway": ("postgres", "kafka", "s3"),
    "persistence": ("postgres", "kafka"),
    "generator": ("postgres", "kafka", "s3", "provider"),
    "notifier": ("postgres", "kafka", "receiver"),
}
"""Who speaks with whom."""
PLAIN_PROPERTIES = local_kafka.PROPERTIES
LEASE_SECONDS = 3.0
FORGOTTEN_SECONDS = 4.0
LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime")

# What every move of a job left behind, whoever made it; the judge reads it, nothing else knows of it.
WATCH_ROWS = """
    CREATE SCHEMA chaos;
    CREATE TABLE chaos.transitions (id bigserial PRIMARY KEY, source text, job_id text, status text, progress int,
                                    at timestamptz DEFAULT clock_timestamp());
    CREATE INDEX ON chaos.transitions (job_id);
    CREATE FUNCTION chaos.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        INSERT INTO chaos.transitions (source, job_id, status, progress)
        VALUES (TG_TABLE_NAME, NEW.id, NEW.status::text, NEW.progress);
        RETURN NULL;
    END $$;
    CREATE TRIGGER chaos_note AFTER INSERT OR UPDATE OF status, progress ON sorami.jobs
        FOR EACH ROW EXECUTE FUNCTION chaos.note();
    CREATE TRIGGER chaos_note AFTER INSERT OR UPDATE OF status, progress ON image_generations
        FOR EACH ROW EXECUTE FUNCTION chaos.note();
    CREATE TRIGGER chaos_note AFTER INSERT OR UPDATE OF status, progress ON video_generations
        FOR EACH ROW EXECUTE FUNCTION chaos.note();
"""


class Fal(FakeFal):
    """The fake provider, reached by the proxy alone."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        self._proxy = proxy

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._proxy.port}"

    def paid_for(self, prompt: str) -> int:
        """Return how often a prompt was executed."""
        return sum(submit.body["prompt"] == prompt for submit in self.ledger.paid)


class Rig:
    """One running product; `home` is a folder of its own that is kept when something failed.

    `code` is where another commit's code lies that everything runs at first.
    """

    def __init__(
        self,
        home: Path,
        *,
        nodes: int = 1,
        mutation: str = "",
        settings: Mapping[str, str] | None = None,
        code: Path | None = None,
    ) -> None:
        self.home = home
        self.failpoints = home / "failpoints"
        self.skews = home / "skews"
        self.temporary = home / "tmp"
        self._codes = home / "codes"
        self._first_code = code
        self.receiver = Receiver()
        self.links = {(one, other): Proxy(f"{one}-{other}") for one, others in LINKS.items() for other in others}
        self.count = nodes
        self.nodes = Nodes(home / "nodes")
        self.provider = Fal(self.links["generator", "provider"])
        self._mutation = mutation
        self._settings = dict(settings or {})
        self.stack: Stack = None  # type: ignore[assignment]
        self.product: Product = None  # type: ignore[assignment]
        self.is_kept = False
        """Whether logs and data stay where they are when it stops."""
        self._is_up = False
        self._frost = Frost()
        self._ends = AsyncExitStack()

    # ---- its life

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Have it run, and end all of it whatever happens; `is_kept` says whether its folder stays."""
        try:
            await self.start()
            yield
        finally:
            await self.stop()

    async def start(self) -> None:
        for folder in (self.home, self.failpoints, self.skews, self.temporary, self._codes):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o711)
        for service in LINKS:
            (self.failpoints / service).mkdir(exist_ok=True)
        for name in ("migrate", *LINKS, *(service + launch.SECOND for service in LINKS)):
            self.give_code(name, self._first_code)
        parts: tuple[Fal | Receiver | Proxy, ...] = (self.provider, self.receiver, *self.links.values())
        for part in parts:
            await part.start()
            self._ends.push_async_callback(part.stop)
        self._aim()
        if self.count > 1:
            self._ends.push_async_callback(self.nodes.stop_all)
            await self.nodes.start_all()
            self._settings |= {"KAFKA_BOOTSTRAP_SERVERS": self.nodes.bootstrap, "SORAMI_TOPIC_REPLICATION": "3"}
        servers = ("postgres", "kafka", "s3") if self.count == 1 else ("postgres", "s3")
        self.stack = Stack(
            self.home / "stack",
            servers=servers,
            services=_services(),
            commands=Commands(migrate="tests.chaos.launch:migrate"),
            settings=self._environment(),
            start_within=240,
        )
        self._ends.push_async_callback(asyncio.to_thread, self.stack.down)
        await _whole(asyncio.to_thread(self.stack.up))
        self._is_up = True
        pool = await asyncpg.create_pool(self.stack.env["DATABASE_URL"], min_size=0, max_size=6, command_timeout=30)
        self.product = Product(self.stack, pool)
        self._ends.push_async_callback(self.product.close)
        await pool.execute(WATCH_ROWS)

    def at_the_end(self, end: Callable[[], Awaitable[None]]) -> None:
        """Have something of a scenario ended before the product is, should the run be cut off."""
        self._ends.push_async_callback(end)

    async def stop(self) -> None:
        """Wake and stop everything, the last first, also after half a start."""
        self.clear()
        self.wake()
        await self._ends.aclose()
        local_kafka.PROPERTIES = PLAIN_PROPERTIES
        if not self.is_kept:
            if (self.home / "stack").exists():
                unprivileged.discard(Home(self.home / "stack"))
            shutil.rmtree(self.home, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        of_services = {
            service: {
                other: self.links[service, other].port
                for other in others
                # Each of several nodes is reached as itself.
                if self.count == 1 or other != "kafka"
            }
            for service, others in LINKS.items()
        }
        receiver = self.links["notifier", "receiver"].port
        faketime = next((f"{folder}/libfaketime.so.1" for folder in LIBRARIES if Path(folder).exists()), "")
        return {
            "WEBHOOK_SECRET": SECRET,
            "WEBHOOK_URL": f"http://127.0.0.1:{receiver}/legacy/image-completion",
            "SORAMI_WEBHOOK_ALLOW": f"127.0.0.1:{receiver}",
            "SORAMI_WEBHOOK_SECONDS": "3",
            "SORAMI_FORGOTTEN_SECONDS": str(FORGOTTEN_SECONDS),
            "SORAMI_LEASE_SECONDS": str(LEASE_SECONDS),
            "SORAMI_BREAKER_SECONDS": "1",
            "SORAMI_FAILPOINTS": str(self.failpoints),
            "FAL_KEY": KEY,
            "SORAMI_FAL_URL": self.provider.url,
            "TMPDIR": str(self.temporary),
            launch.PROXIES: json.dumps(of_services),
            launch.SKEWS: str(self.skews),
            launch.FAKETIME: faketime,
            launch.CODES: str(self._codes),
            **({launch.MUTATION: self._mutation} if self._mutation else {}),
            **self._settings,
        }

    def _aim(self) -> None:
        """Tell each proxy what stands behind it, and the broker to name each service's proxy to that service."""
        home = Home(self.home / "stack")
        home.make()
        numbers = ports.assign(home, ["postgres", "kafka", "kafka-controller", *OBJECT_PORTS])
        brokers = dict(zip(LINKS, free_ports(len(LINKS)), strict=True))
        for (service, other), proxy in self.links.items():
            own = {"kafka": brokers[service], "receiver": self.receiver.port, "provider": self.provider.port}
            proxy.upstream = own.get(other) or numbers[other]
        if self.count == 1:
            local_kafka.PROPERTIES = with_listeners(
                PLAIN_PROPERTIES, {name: (port, self.links[name, "kafka"].port) for name, port in brokers.items()}
            )

    # ---- what may go wrong

    def between(self, one: str, other: str) -> Proxy:
        """The line between two parts, as `LINKS` names them."""
        return self.links[one, other]

    def around(self, part: str) -> list[Proxy]:
        """All lines of a service or of a server."""
        return [proxy for pair, proxy in self.links.items() if part in pair]

    def arm(self, service: str, point: str, what: str = "kill", times: int = 1) -> Path:
        """Have a service die, fail or freeze at a point; the file is gone when it has."""
        failpoints.arm(self.failpoints / service, point, what, times)
        return self.failpoints / service / point

    async def fired(self, armed: Path, within: float = 30.0) -> None:
        """Wait until an armed point was reached."""
        async with asyncio.timeout(within):
            while armed.exists():
                await asyncio.sleep(0.02)

    def clear(self) -> None:
        """Take every fault away that is not a dead process."""
        for proxy in self.links.values():
            proxy.clear()
        for armed in self.failpoints.rglob("*.*"):
            armed.unlink(missing_ok=True)
        for skew in self.skews.iterdir():
            skew.unlink()

    async def kill(self, name: str) -> None:
        """SIGKILL; the supervisor starts it again."""
        await self.stack.akill(name)

    async def restart(self, name: str) -> None:
        """SIGTERM, and start again: an ordinary deployment."""
        await self.stack.astop(name)
        await self.stack.astart(name)

    def freeze(self, name: str) -> None:
        """SIGSTOP the process and whatever it started: it keeps its connections and answers nothing."""
        self._frost.freeze(self.stack.pid(name))

    def thaw(self, name: str) -> None:
        self._frost.thaw(self.stack.pid(name))

    def wake(self) -> None:
        """Let everything go on that is frozen: what froze itself at a point, and what its parent left behind."""
        self._frost.wake()
        for name in self.stack.names if self._is_up else ():
            with suppress(StackError):
                self.thaw(name)

    @asynccontextmanager
    async def second(self, service: str) -> AsyncIterator[str]:
        """Have a second process of a service for a while."""
        name = service + launch.SECOND
        await self.stack.astart(name)
        try:
            yield name
        finally:
            await self.stack.astop(name)

    async def skew(self, name: str, by: str) -> None:
        """Give a service a wrong clock, as libfaketime reads it (`+10m`)."""
        (self.skews / name).write_text(by)
        await self.restart(name)

    def give_code(self, name: str, tree: Path | None) -> None:
        """Have a part run the code of a folder, or ours, from its next start on."""
        if tree is None:
            (self._codes / name).unlink(missing_ok=True)
        else:
            (self._codes / name).write_text(str(tree))

    @property
    def can_skew(self) -> bool:
        return any(Path(folder).exists() for folder in LIBRARIES)

    async def mend(self) -> None:
        """Take every fault away, and start again what a scenario that failed left stopped."""
        self.clear()
        for name in self.stack.names:
            if self.stack.phase(name) is Phase.STOPPED and not name.endswith(launch.SECOND):
                await self.stack.astart(name)
        self.wake()

    async def ready(self, *names: str) -> None:
        """Wait until these parts, or all that are to run, are ready."""
        idle = (Phase.STOPPED, Phase.WAITING)
        wanted = names or tuple(name for name in self.stack.names if self.stack.phase(name) not in idle)
        await self.stack.await_ready(*wanted, within=90)

    # ---- what it knows

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        return await self.product.rows(statement, *values)

    async def value(self, statement: str, *values: Any) -> Any:
        row = await self.product.row(statement, *values)
        return None if row is None else row[0]

    @asynccontextmanager
    async def bucket(self) -> AsyncIterator[tuple[Any, str]]:
        """Give a client of the object store and the bucket's name, past the services and the proxies."""
        env = self.stack.env
        session = aioboto3.Session(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], region_name=env["S3_REGION"])
        async with session.client("s3", endpoint_url=env["S3_ENDPOINT_URL"]) as client:
            yield client, env["S3_BUCKET"]

    def person(self, subject: str | None = None, **claims: Any) -> Person:
        return self.product.person(subject, **claims)

    @property
    def second_gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.stack.env['CHAOS_GATEWAY_PORT']}"


def with_listeners(properties: str, listeners: Mapping[str, tuple[int, int]]) -> str:
    """Return a broker's properties with a listener a service: the port it has, and the port it tells its clients."""
    own = {name.upper(): pair for name, pair in listeners.items()}
    lines = []
    for line in properties.splitlines():
        name, _, value = line.partition("=")
        if name == "listeners":
            value += "".join(f",{one}://127.0.0.1:{port}" for one, (port, _) in own.items())
        elif name == "advertised.listeners":
            value += "".join(f",{one}://127.0.0.1:{proxy}" for one, (_, proxy) in own.items())
        elif name == "listener.security.protocol.map":
            value += "".join(f",{one}:PLAINTEXT" for one in own)
        lines.append(f"{name}={value}")
    return "\n".join(lines) + "\n"


def _services() -> list[Service]:
    """The product's services, each by the rig's launcher, and a second process of each."""
    first = [replace(one, entry=f"tests.chaos.launch:{one.name}") for one in SERVICES]
    second = [
        replace(
            one,
            name=one.name + launch.SECOND,
            entry=f"tests.chaos.launch:second_{one.name}",
            port_setting=f"CHAOS_{one.name.upper()}_PORT",
            host_setting="",
            is_spare=True,
            internal_port_setting=f"CHAOS_{one.name.upper()}_INTERNAL_PORT" if one.internal_port_setting else "",
        )
        for one in SERVICES
    ]
    return [*first, *second]


async def _whole(work: Awaitable[None]) -> None:
    """Wait to the end of what cannot be broken off, also when whoever waits is cancelled."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
