"""The image as a cluster runs it: without rights, on a root it may not write. Run by `make image-check`.

A base is made by debootstrap, the image built by buildah and run by podman; the servers are the embedded ones.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from sorami.local.services import SERVICES
from sorami.local.stack import Stack
from tests.support.objects import keys_of
from tests.support.product import SECRET, Person, Product

ROOT = Path(__file__).parents[2]
BASE, IMAGE = "localhost/sorami-base:bookworm", "localhost/sorami:check"
TOOLS = ("buildah", "podman", "runc", "debootstrap")
STORE = ("--storage-driver", os.environ.get("STORAGE_DRIVER", "vfs"))
PODMAN = ("podman", *STORE, "--runtime", "runc", "--cgroup-manager=cgroupfs")
RESTRICTED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--network=host")
LIMITS = ("--ulimit=nofile=20000:20000", "--ulimit=nproc=4096:4096", "--tmpfs=/tmp:rw,size=2g,mode=1777")

missing = [tool for tool in TOOLS if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(
    bool(missing) or os.geteuid() != 0,
    reason="needs root and: apt-get install -y --no-install-recommends buildah podman runc debootstrap netavark",
)


def run(*command: str, within: float = 600, **options: Any) -> str:
    """Run a command and return what it printed; fails with it when the command did."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=within, check=False, **options)
    assert done.returncode == 0, f"{' '.join(command[:6])} …: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    printed: str = done.stdout
    return printed


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the base once a machine, and the image anew; or check the one that SORAMI_IMAGE names."""
    if given := os.environ.get("SORAMI_IMAGE"):
        return given
    if subprocess.run([*PODMAN, "image", "exists", BASE], check=False).returncode != 0:
        folder = tmp_path_factory.mktemp("base")
        run(
            "debootstrap",
            "--variant=minbase",
            "--include=python3,python3-venv,ca-certificates",
            "bookworm",
            str(folder),
        )
        with subprocess.Popen(["tar", "-C", str(folder), "-c", "."], stdout=subprocess.PIPE) as tar:
            run(*PODMAN, "import", "-", BASE, stdin=tar.stdout)
        shutil.rmtree(folder)
    run(
        str(ROOT / "deploy" / "image" / "build.sh"),
        env=os.environ | {"ENGINE": "buildah", "BASE": BASE, "IMAGE": IMAGE},
        within=1200,
    )
    return IMAGE


def inside(image: str, program: str) -> str:
    """Run a line of Python in a container as a pod would."""
    return run(*PODMAN, "run", "--rm", *RESTRICTED, *LIMITS, "--entrypoint=python", image, "-c", program)


def test_it_runs_without_rights_on_a_root_that_cannot_be_written(image: str) -> None:
    said = inside(
        image,
        "import os, pathlib\n"
        "print(os.getuid(), os.getgid())\n"
        "for folder in ('/', '/opt/sorami/app', '/opt/sorami/lib'):\n"
        "    try: pathlib.Path(folder, 'x').touch(); print('written', folder)\n"
        "    except OSError: pass\n"
        "pathlib.Path('/tmp/x').touch()\n",
    )
    assert said.split() == ["10001", "10001"]


def test_it_says_what_it_is(image: str) -> None:
    (described,) = json.loads(run(*PODMAN, "image", "inspect", image))
    labels = described["Labels"]
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert re.fullmatch(r"[0-9a-f]{40}", labels["org.opencontainers.image.revision"])
    assert described["Config"]["User"] == "10001:10001"
    assert not [name for name in described["Config"]["Env"] if name.startswith(("PIP_", "SSL_"))]


def test_its_bill_of_materials_lists_exactly_what_is_installed(image: str) -> None:
    installed, listed = json.loads(
        inside(
            image,
            "import importlib.metadata as m, json, pathlib\n"
            "bill = json.loads(pathlib.Path('/opt/sorami/share/sbom/sorami.cdx.json').read_text())\n"
            "print(json.dumps([sorted((d.name.lower(), d.version) for d in m.distributions()),\n"
            "                  sorted((c['name'].lower(), c['version']) for c in bill['components'])]))\n",
        )
    )
    assert installed == listed
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "deploy/image/requirements.lock").read_text(), re.MULTILINE))
    assert {name.replace("_", "-") for name, _ in installed} <= pinned


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until_ready(port: int, within: float = 90) -> None:
    """Ask a container's readiness until it is."""
    deadline = time.monotonic() + within
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=3):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


@pytest.fixture(scope="module")
def stack(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The embedded servers, migrated and with topics by the image, and its four services beside them."""
    home = tmp_path_factory.mktemp("image")
    ports = {service.port_setting: str(free_port()) for service in SERVICES}
    settings = {
        "WEBHOOK_SECRET": SECRET,
        **ports,
        "SORAMI_NOTIFIER_URL": f"http://127.0.0.1:{ports['SORAMI_NOTIFIER_PORT']}",
    }
    with Stack(home, services=(), settings=settings, discard=True) as stack:
        keys = Path(stack.env["SORAMI_JWKS_URL"].removeprefix("file://"))
        public = tmp_path_factory.mktemp("keys") / "jwks.json"
        public.write_text(keys.read_text())
        public.parent.chmod(0o755)
        public.chmod(0o644)
        names = [
            name for name in stack.env if name.startswith(("SORAMI_", "S3_", "AWS_", "KAFKA_", "DATABASE_", "WEBHOOK_"))
        ]
        env = {name: stack.env[name] for name in names} | ports | {"SORAMI_JWKS_URL": "file:///keys/jwks.json"}
        common = (
            *RESTRICTED,
            *LIMITS,
            f"--volume={public.parent}:/keys:ro",
            *(f"--env={name}={value}" for name, value in env.items()),
        )
        for command in ("services.persistence.migrate", "services.persistence.topics"):
            run(*PODMAN, "run", "--rm", *common, image, command)
        containers = {
            service.name: run(*PODMAN, "run", "--detach", *common, image, f"services.{service.name}").strip()
            for service in SERVICES
        }
        try:
            for service in SERVICES:
                wait_until_ready(int(ports[service.port_setting]))
            yield stack
            for name, container in containers.items():
                run(*PODMAN, "stop", "--time=45", container)
                (state,) = json.loads(run(*PODMAN, "inspect", container))
                assert state["State"]["ExitCode"] == 0, name
        finally:
            for name, container in containers.items():
                logs = subprocess.run([*PODMAN, "logs", container], capture_output=True, text=True, check=False)
                print(name, (logs.stdout + logs.stderr)[-1500:])
                subprocess.run([*PODMAN, "rm", "--force", container], capture_output=True, check=False)


async def test_a_job_asked_of_the_containers_is_completed(stack: Stack) -> None:
    product = Product(stack, await asyncpg.create_pool(stack.env["DATABASE_URL"], min_size=1, max_size=2))
    person: Person = product.person()
    for model in ("instant", "procedural-1"):
        job_id = await person.ask(model=model, size="256x256")
        assert (await person.ended(job_id, within=120))[-1].data["status"] == "COMPLETED"
        assert await keys_of(stack.env, f"images/{job_id}/") != []
    await product.close()
