"""compose.yaml as it stands, started by podman: `make compose-check`.

No image is pulled: Postgres, Kafka and SeaweedFS are the local stack's own programs in images of the machine's own base
(`standins/`), named to compose.yaml by its variables. podman runs no health checks where there is no systemd, and
lets a container need only what still runs: checks are run and conditions judged from here, as they are written.
"""

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from sorami.local import java, kafka_jars, postgres, seaweed
from tests.deploy import image_check
from tests.deploy.image_check import BASE, LIMITS, PODMAN, ROOT, STORE, image, run
from tests.support.ports import free_ports

__all__ = ["image"]

STANDINS = Path(__file__).parent / "standins"
STANDIN = "localhost/sorami-standin-{}:check"
PROJECT = "sorami-check"
SERVERS = ("postgres", "kafka", "seaweedfs")
SERVICES = ("gateway", "generator", "persistence", "notifier")
NAMES = Path("/usr/lib/podman/aardvark-dns")

pytestmark = [
    image_check.pytestmark,
    pytest.mark.skipif(
        not NAMES.exists() or shutil.which("iptables") is None,
        reason="networks of containers need: apt-get install -y --no-install-recommends aardvark-dns iptables",
    ),
]


@pytest.fixture(scope="module")
def servers(image: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Build the stand-ins and return the variables that name them; with SORAMI_STANDINS=1 those of the last time."""
    if os.environ.get("SORAMI_STANDINS"):
        return {f"{server.upper()}_IMAGE": STANDIN.format(server) for server in SERVERS}
    context = tmp_path_factory.mktemp("standins")
    shutil.copytree(STANDINS, context, dirs_exist_ok=True)
    shutil.copytree(postgres.programs(), context / "pginstall", symlinks=True)
    shutil.copytree(postgres.programs().parent.with_suffix(".libs"), context / "libraries")
    shutil.copytree(java.find({}).program.parent.parent, context / "java-runtime", symlinks=True)
    shutil.copy(seaweed.binary(), context / "weed")
    (context / "libs").mkdir()
    for jar in asyncio.run(kafka_jars.ready(os.environ)):
        shutil.copy(jar, context / "libs")
    names = {}
    for server in SERVERS:
        name = STANDIN.format(server)
        run(
            "buildah", *STORE, "bud", "--isolation", "chroot", "--target", server,
            "--build-arg", f"BASE={BASE}", "-t", name, str(context),
        )  # fmt: skip
        names[f"{server.upper()}_IMAGE"] = name
    shutil.rmtree(context)
    return names


@dataclass(frozen=True)
class Composed:
    """A project of podman-compose."""

    env: dict[str, str]
    port: int

    def compose(self, *arguments: str, within: float = 300) -> str:
        return run("podman-compose", "-p", PROJECT, "-f", str(ROOT / "compose.yaml"), *arguments,
                   env=self.env, cwd=ROOT, within=within)  # fmt: skip

    def up(self, within: float = 180) -> None:
        """Start each service once the conditions hold that it names."""
        described = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
        waiting = {name: one.get("depends_on", {}) for name, one in described.items() if "profiles" not in one}
        deadline = time.monotonic() + within
        while waiting:
            due = [name for name, needs in waiting.items() if all(self._holds(*need) for need in needs.items())]
            if due:
                self.compose("up", "--detach", "--no-build", "--no-deps", *due)
            assert time.monotonic() < deadline, (waiting, self.logs())
            waiting = {name: needs for name, needs in waiting.items() if name not in due}
            time.sleep(0.2)

    def _holds(self, service: str, need: dict[str, str]) -> bool:
        if need["condition"] == "service_healthy":
            return self.healthy(service)
        assert need["condition"] == "service_completed_successfully"
        try:
            state = self.state(service)
        except AssertionError:
            return False
        return (state["Status"], state["ExitCode"]) == ("exited", 0)

    def healthy(self, service: str) -> bool:
        """Run a service's health check once."""
        name = f"{PROJECT}_{service}_1"
        done = subprocess.run(
            [*PODMAN, "healthcheck", "run", name], env=self.env, capture_output=True, timeout=60, check=False
        )
        return done.returncode == 0

    def state(self, service: str) -> dict[str, object]:
        (described,) = json.loads(run(*PODMAN, "inspect", f"{PROJECT}_{service}_1", env=self.env))
        found: dict[str, object] = described["State"]
        return found

    def until_healthy(self, within: float = 240) -> dict[str, float]:
        """Return after how many seconds each server and service was healthy."""
        began, healthy = time.monotonic(), dict[str, float]()
        while len(healthy) < len(SERVERS) + len(SERVICES):
            for service in (*SERVERS, *SERVICES):
                if service not in healthy and self.healthy(service):
                    healthy[service] = round(time.monotonic() - began, 1)
            assert time.monotonic() - began < within, (healthy, self.logs())
            time.sleep(0.5)
        return healthy

    def logs(self) -> str:
        said = []
        for service in (*SERVERS, *SERVICES, "migrate", "topics"):
            done = subprocess.run(
                [*PODMAN, "logs", "--tail=8", f"{PROJECT}_{service}_1"],
                env=self.env, capture_output=True, text=True, check=False,
            )  # fmt: skip
            said.append(f"== {service}\n{done.stdout}{done.stderr}")
        return "\n".join(said)


@pytest.fixture(scope="module")
def composed(image: str, servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """The project, up and healthy; gone with its volumes at the end."""
    port, s3_port = free_ports(2)
    limits = [f'"{limit.removeprefix("--ulimit=")}"' for limit in LIMITS if limit.startswith("--ulimit=")]
    settings = tmp_path_factory.mktemp("podman") / "containers.conf"
    settings.write_text(
        f"[containers]\ndefault_ulimits = [{', '.join(limits)}]\n"
        '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
    )
    env = (
        os.environ
        | servers
        | {
            "CONTAINERS_CONF": str(settings),
            "STORAGE_DRIVER": STORE[1],
            "SORAMI_IMAGE": image,
            "SORAMI_PORT": str(port),
            "SORAMI_PUBLIC_URL": f"http://localhost:{port}",
            "S3_PORT": str(s3_port),
            "S3_PUBLIC_ENDPOINT_URL": f"http://localhost:{s3_port}",
        }
    )
    env["PATH"] = f"{ROOT / '.venv' / 'bin'}:{env['PATH']}"
    project = Composed(env, port)
    try:
        project.up()
        yield project
    finally:
        project.compose("down", "--volumes")


def test_every_service_becomes_healthy_by_the_check_that_is_written(composed: Composed) -> None:
    print("\nhealthy after", composed.until_healthy())
    for job in ("migrate", "topics"):
        assert composed.state(job)["ExitCode"] == 0, composed.logs()


def test_a_first_key_makes_a_job_and_its_file_is_read(composed: Composed) -> None:
    key = composed.compose("exec", "gateway", "python", "-m", "services.gateway.operator_key").strip().splitlines()[-1]
    with httpx.Client(base_url=f"http://localhost:{composed.port}", trust_env=False, timeout=90) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        asked = client.post(
            "/api/images/generate", json={"prompt": "A lighthouse", "size": "256x256"}, headers={"Prefer": "wait=60"}
        )
        assert asked.status_code == 200, asked.text
        (picture,) = asked.json()["images"]
        shown = client.get(picture["fileUrl"], follow_redirects=True)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")


def test_what_was_made_outlives_down_and_up(composed: Composed) -> None:
    composed.compose("down")
    composed.up()
    composed.until_healthy()
    key = composed.compose("exec", "gateway", "python", "-m", "services.gateway.operator_key").strip().splitlines()[-1]
    url = f"http://localhost:{composed.port}/api/images/user"
    answer = httpx.get(url, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=30)
    assert [one["prompt"] for one in answer.json()["generations"]] == ["A lighthouse"]
