"""The chart on a real Kubernetes control plane, beside the embedded Kafka, Postgres and S3: `make chart-cluster`.

etcd, API server and controllers are plain processes built from Go modules, once, into the user's cache; a node agent
of ours runs each pod's command as a local process. Helm is its own library (the wheel of `make chart`). Admission is
Pod Security "restricted". The tests are one story, in order.
"""

import asyncio
import base64
import contextlib
import hashlib
import itertools
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import yaml

pytest.importorskip("helm_python", reason="the chart is installed by Helm's own library: make chart")

import helm_python

from sorami.local.stack import Stack
from tests.support.chart import CHART, CRDS, SWITCHES, Object, merged, notes, render
from tests.support.node_agent import Api, Node

ROOT = Path(__file__).parents[2]
BINARIES = Path(__file__).parent / "cluster" / "binaries"
PROGRAMS = {
    "etcd": "./etcd",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
}
NAMESPACE, RELEASE = "media", "acme"
SERVICES = ("gateway", "generator", "persistence", "notifier")
FORBIDDEN = "unspeakable"
FULL = f"{RELEASE}-sorami"

pytestmark = pytest.mark.skipif(
    shutil.which("go") is None or os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="needs root and Go (apt-get install -y golang, or go.dev) to build a control plane",
)


def run(*command: str, within: float = 300, **options: Any) -> str:
    """Run a command and return what it printed; fails with it when the command did."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=within, check=False, **options)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    printed: str = done.stdout
    return printed


@pytest.fixture(scope="module")
def programs() -> Path:
    """Build etcd, API server and controllers, once for these versions; Helm asks the API server for its own."""
    version = re.search(r"k8s.io/kubernetes (v\S+)", (BINARIES / "go.mod").read_text())
    assert version is not None
    flags = f"-s -w -X k8s.io/component-base/version.gitVersion={version[1]}"
    wanted = hashlib.sha256((BINARIES / "go.sum").read_bytes() + flags.encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sorami" / f"cluster-{wanted}"
    cache.mkdir(parents=True, exist_ok=True)
    env = os.environ | {"GOBIN": str(cache), "CGO_ENABLED": "0", "GOFLAGS": "-trimpath"}
    for name, package in PROGRAMS.items():
        if not (cache / name).exists():
            run(
                "go", "build", f"-ldflags={flags}", "-o", str(cache / name), package, cwd=BINARIES, env=env, within=3000
            )
    return cache


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Cluster:
    """A control plane with a node, and Helm that speaks to it."""

    api: Api
    node: Node
    helm: Any
    values: Object

    def upgrade(self, changed: Object, within: int = 300) -> None:
        """Upgrade the release with the values it was installed with, some of them changed, and wait."""
        self.helm.upgrade(str(CHART), RELEASE, merged(self.values, changed), wait="watcher", timeout=within)

    def secret(self, name: str, **content: str) -> None:
        """Make a secret as an operator does."""
        body = {"metadata": {"name": name}, "stringData": content}
        answer = self.api.post(f"/api/v1/namespaces/{NAMESPACE}/secrets", body)
        assert answer.status_code == 201, answer.text

    @property
    def gateway(self) -> str:
        return f"http://{self.node.address_of(f'{FULL}-gateway')}:9006"

    def as_client(self) -> dict[str, str]:
        """Return the headers of whoever has the operator's key and comes by the service's name."""
        found = self.api.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/test")
        assert found is not None
        token = base64.b64decode(found["data"]["token"]).decode()
        return {"Authorization": f"Bearer {token}", "Host": f"{FULL}-gateway:9006"}

    def pods(self, component: str) -> list[Object]:
        query = f"labelSelector=app.kubernetes.io/instance={RELEASE},app.kubernetes.io/component={component}"
        return self.api.list(f"/api/v1/namespaces/{NAMESPACE}/pods?{query}")

    def ready(self, component: str) -> set[str]:
        """Return the pods of a component that are ready and stay."""
        return {
            pod["metadata"]["name"]
            for pod in self.pods(component)
            if "deletionTimestamp" not in pod["metadata"]
            and any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
        }

    def waiting(self, component: str) -> list[Object]:
        """Return what `kubectl describe pod` says of containers that do not run."""
        return [
            status["state"]["waiting"]
            for pod in self.pods(component)
            for status in pod["status"].get("containerStatuses", [])
            if "waiting" in status["state"]
        ]

    def until(self, what: str, found: Any, within: float = 60) -> Any:
        deadline = time.monotonic() + within
        while not (seen := found()):
            assert time.monotonic() < deadline, f"{what}: not within {within:g} s"
            time.sleep(0.2)
        return seen


@pytest.fixture(scope="module")
def control_plane(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, Path]]:
    """etcd, the API server and the controllers; Api and the path of a kubeconfig."""
    folder = tmp_path_factory.mktemp("control-plane")
    token, etcd, peer, secure = secrets.token_hex(16), free_port(), free_port(), free_port()
    run("openssl", "genrsa", "-out", str(folder / "sa.key"), "2048")
    run("openssl", "rsa", "-in", str(folder / "sa.key"), "-pubout", "-out", str(folder / "sa.pub"))
    (folder / "tokens").write_text(f'{token},admin,admin,"system:masters"\n')
    url = f"https://127.0.0.1:{secure}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (folder / "config").write_text(yaml.safe_dump(config))
    (folder / "config").chmod(0o600)
    commands = {
        "etcd": [
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls=http://127.0.0.1:{etcd}",
            f"--advertise-client-urls=http://127.0.0.1:{etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
            "--unsafe-no-fsync",
        ],
        "kube-apiserver": [
            f"--etcd-servers=http://127.0.0.1:{etcd}",
            f"--secure-port={secure}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={folder / 'certificates'}",
            f"--token-auth-file={folder / 'tokens'}",
            f"--service-account-key-file={folder / 'sa.pub'}",
            f"--service-account-signing-key-file={folder / 'sa.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--enable-admission-plugins=PodSecurity",
        ],
        "kube-controller-manager": [
            f"--kubeconfig={folder / 'config'}",
            f"--service-account-private-key-file={folder / 'sa.key'}",
            "--controllers=*,-node-lifecycle-controller,-nodelifecycle,-endpointslice-controller",
            "--leader-elect=false",
            "--secure-port=0",
        ],
    }
    with contextlib.ExitStack() as stack:
        api = Api(url, token)
        stack.callback(api.close)
        for name, arguments in commands.items():
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            program = ["setpriv", "--pdeathsig=KILL", str(programs / name)]
            process = subprocess.Popen([*program, *arguments], stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            if name == "kube-apiserver":
                _until_ready(api, process, folder / "kube-apiserver.log")
        yield api, folder / "config"


def _until_ready(api: Api, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 90
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if api.get("/api/v1/namespaces/kube-system") is not None:
                return
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.3)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The servers that the operator brings: the embedded ones."""
    with Stack(tmp_path_factory.mktemp("servers"), services=(), discard=True) as servers:
        yield servers


@pytest.fixture(scope="module")
def cluster(
    control_plane: tuple[Api, Path], stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A namespace that takes only restricted pods, the operator's secrets in it, and a node."""
    api, config = control_plane
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    api.post("/api/v1/namespaces", {"metadata": {"name": NAMESPACE, "labels": restricted}})
    extra = {"PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    with (
        Node(api, tmp_path_factory.mktemp("node"), ROOT / ".venv" / "bin", extra) as node,
        helm_python.Config(kubeconfig_path=config, namespace=NAMESPACE) as helm,
    ):
        made = Cluster(api, node, helm, _values(stack))
        made.secret("postgres", DATABASE_URL=stack.env["DATABASE_URL"])
        made.secret("s3", **{name: stack.env[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")})
        made.until("the default account", lambda: api.get(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"))
        words = {"metadata": {"name": "words"}, "data": {"words.txt": f"{FORBIDDEN}\n"}}
        assert api.post(f"/api/v1/namespaces/{NAMESPACE}/configmaps", words).status_code == 201
        yield made


def _values(stack: Stack) -> Object:
    small = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}}
    return {
        "image": {"repository": "registry.example.com/sorami"},
        "publicUrl": "http://sorami.test",
        "exposure": "none",
        "environment": "test",
        "postgres": {"existingSecret": "postgres"},
        "kafka": {"bootstrapServers": stack.env["KAFKA_BOOTSTRAP_SERVERS"], "replication": 1},
        "s3": {
            "existingSecret": "s3",
            "endpointUrl": stack.env["S3_ENDPOINT_URL"],
            "bucket": stack.env["S3_BUCKET"],
            "region": stack.env["S3_REGION"],
        },
        "moderationWordsConfigMap": "words",
        "settings": {"SORAMI_MODERATION": "words", "SORAMI_JOBS_PER_MINUTE": 0},
        "test": {"existingSecret": "test"},
        **{name: {"resources": small} for name in SERVICES},
    }


def test_a_pod_with_rights_is_refused_here(cluster: Cluster) -> None:
    pod = {"metadata": {"name": "root"}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
    answer = cluster.api.post(f"/api/v1/namespaces/{NAMESPACE}/pods", pod)
    assert (answer.status_code, "restricted" in answer.text) == (403, True)


def test_install_waits_until_everything_is_ready_and_hooks_have_migrated(cluster: Cluster) -> None:
    cluster.helm.install(str(CHART), RELEASE, cluster.values, wait="watcher", timeout=240)
    assert cluster.helm.status(RELEASE)["status"] == "deployed"
    for component in SERVICES:
        assert len(cluster.ready(component)) == 2
    assert "topics: " in cluster.node.log_of(f"{FULL}-topics")
    assert cluster.node.log_of(f"{FULL}-migrate-post")
    assert cluster.api.list(f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs") == []


def test_an_operator_makes_a_first_key_as_the_notes_say(cluster: Cluster) -> None:
    command = re.search(rf"exec deploy/{FULL}-gateway -- (python -m \S+)\n", notes(cluster.values))
    assert command is not None
    made = cluster.node.execute(f"{FULL}-gateway", *command[1].split())
    assert made.returncode == 0, made.stderr
    assert re.fullmatch(r"sk_sorami_\S+\n", made.stdout), "the secret alone, so that a command can take it"
    cluster.secret("test", token=made.stdout.strip())
    answer = httpx.get(f"{cluster.gateway}/api/admin/health", headers=cluster.as_client(), trust_env=False)
    assert answer.status_code == 200, answer.text


def test_helm_test_makes_a_job_and_sees_it_completed(cluster: Cluster) -> None:
    cluster.helm.test(RELEASE, timeout=180)
    assert "COMPLETED 100 %" in cluster.node.log_of(f"{FULL}-test")


def test_a_mounted_configmap_is_read(cluster: Cluster) -> None:
    body = {"prompt": f"A {FORBIDDEN}", "model": "instant"}
    headers = cluster.as_client() | {"Prefer": "wait=30"}
    url = f"{cluster.gateway}/api/images/generate"
    answer = httpx.post(url, json=body, headers=headers, timeout=60, trust_env=False)
    assert answer.json()["failure"]["code"] == "content_filtered", answer.text


class Load:
    """Asks for jobs, twenty a second, until it is stopped; notes every answer."""

    def __init__(self, cluster: Cluster) -> None:
        self.accepted: list[str] = []
        self.refused: list[str] = []
        self._url = f"{cluster.gateway}/api/images/generate"
        self._headers = cluster.as_client()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Load":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=8)
        asking: set[asyncio.Task[None]] = set()
        async with httpx.AsyncClient(headers=self._headers, timeout=30, trust_env=False, limits=limits) as client:
            try:
                for count in itertools.count():
                    task = asyncio.create_task(self._ask(client, {} if count % 2 else {"Connection": "close"}))
                    asking.add(task)
                    task.add_done_callback(asking.discard)
                    await asyncio.sleep(0.05)
            finally:
                await asyncio.gather(*asking)

    async def _ask(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        try:
            answer = await client.post(self._url, json={"prompt": "A roll", "model": "instant"}, headers=headers)
        except httpx.HTTPError as error:
            self.refused.append(repr(error))
        else:
            (self.accepted if answer.status_code == 202 else self.refused).append(answer.text)

    async def outcomes(self, stack: Stack) -> dict[str, int]:
        """Return how many of the accepted jobs ended how, once all have ended."""
        ids = [json.loads(text)["job_id"] for text in self.accepted]
        connection = await asyncpg.connect(stack.env["DATABASE_URL"])
        try:
            async with asyncio.timeout(120):
                while True:
                    rows = await connection.fetch(
                        "SELECT status::text, count(*) FROM sorami.jobs WHERE id = ANY($1::text[]) GROUP BY 1", ids
                    )
                    found = {row[0]: row[1] for row in rows}
                    if not {"PENDING", "GENERATING"} & set(found):
                        return found
                    await asyncio.sleep(0.2)
        finally:
            await connection.close()


async def test_an_upgrade_and_a_rollback_under_load_refuse_and_lose_nothing(cluster: Cluster, stack: Stack) -> None:
    before = {component: cluster.ready(component) for component in SERVICES}
    async with Load(cluster) as load:
        await asyncio.to_thread(cluster.upgrade, {"settings": {"SORAMI_LOG_LEVEL": "debug"}})
        between = {component: cluster.ready(component) for component in SERVICES}
        await asyncio.to_thread(cluster.helm.rollback, RELEASE, version=1, wait="watcher", timeout=300)
    for component in SERVICES:
        assert not before[component] & between[component], f"the upgrade did not replace {component}"
        assert not between[component] & cluster.ready(component), f"the rollback did not replace {component}"
    assert load.refused == []
    assert len(load.accepted) > 100
    assert await load.outcomes(stack) == {"COMPLETED": len(load.accepted)}
    assert cluster.node.killed == [], "a pod was still draining when its time was over"
    assert cluster.node.failed_stops == []
    print(f"\n{len(load.accepted)} jobs asked for during an upgrade and a rollback: all accepted, all completed")


def test_a_secret_that_is_absent_is_named_by_the_pod_and_harms_nobody(cluster: Cluster) -> None:
    with pytest.raises(helm_python.HelmError):
        cluster.upgrade({"secretSettings": {"WEBHOOK_SECRET": {"secret": "absent", "key": "key"}}}, within=20)
    waiting = {(state["reason"], state["message"]) for state in cluster.waiting("gateway")}
    assert waiting == {("CreateContainerConfigError", 'secret "absent" not found')}
    assert len(cluster.ready("gateway")) == 2, "the release before goes on"


def test_a_wrong_key_of_the_bucket_is_told_by_the_generators_log_and_harms_nobody(cluster: Cluster) -> None:
    cluster.secret("wrong-s3", AWS_ACCESS_KEY_ID="nobody", AWS_SECRET_ACCESS_KEY="nothing")
    with pytest.raises(helm_python.HelmError):
        cluster.upgrade({"s3": {"existingSecret": "wrong-s3"}}, within=30)
    cluster.until(
        "what the generator ended with",
        lambda: "exit code 78" in {state["message"] for state in cluster.waiting("generator")},
    )
    assert "config error: AWS_ACCESS_KEY_ID: the object store does not know this key" in cluster.node.log_of(
        f"{FULL}-generator"
    )
    assert len(cluster.ready("generator")) == 2, "the release before goes on"
    cluster.helm.rollback(RELEASE, version=1, wait="watcher", timeout=180)


def test_a_database_that_is_wrong_stops_the_installation_with_its_reason(cluster: Cluster, stack: Stack) -> None:
    cluster.secret("wrong", DATABASE_URL=re.sub(r"/[^/?]+(\?|$)", r"/nowhere\1", stack.env["DATABASE_URL"]))
    values = merged(cluster.values, {"postgres": {"existingSecret": "wrong"}})
    with pytest.raises(helm_python.HelmError, match="pre-install"):
        cluster.helm.install(str(CHART), "second", values, timeout=90)
    assert len(cluster.node.pods_of("second-sorami-migrate")) == 1, "what is wrong is not tried again"
    assert 'DATABASE_URL: database "nowhere" does not exist' in cluster.node.log_of("second-sorami-migrate")
    cluster.helm.uninstall("second")
    jobs = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs/second-sorami-migrate"
    cluster.api.delete(f"{jobs}?propagationPolicy=Background")


MADE: Object = {
    "exposure": "httpRoute",
    "httpRoute": {"parentRefs": [{"name": "public"}]},
    "kafka": {"bootstrapServers": "", "strimzi": {"cluster": {"enabled": True}}},
    "postgres": {"existingSecret": "", "cluster": {"enabled": True}},
    "generator": {"autoscaling": {"type": "keda"}},
    "persistence": {"autoscaling": {"type": "keda"}},
    **SWITCHES["external-secrets"],
}


def test_operators_objects_are_taken_by_their_definitions(cluster: Cluster) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    defined: dict[str, Object] = json.loads(CRDS.read_text(encoding="utf-8"))
    for name, schema in defined.items():
        api_version, _, kind = name.partition(" ")
        answer = cluster.api.post(path, definition(api_version, kind, schema))
        assert answer.status_code == 201, answer.text
    cluster.until("definitions", lambda: len(_established(cluster)) == len(defined))
    tried = set()
    for item in render(MADE, least=cluster.values):
        name = f"{item['apiVersion']} {item['kind']}"
        if name in defined:
            url = f"/apis/{item['apiVersion']}/namespaces/{NAMESPACE}/{item['kind'].lower()}s"
            answer = cluster.api.post(f"{url}?dryRun=All&fieldValidation=Strict", item)
            assert answer.status_code == 201, answer.text
            tried.add(name)
    assert tried >= {name for name in defined if not name.startswith("monitoring.coreos.com")}, "each was tried"


def _established(cluster: Cluster) -> list[Object]:
    found = cluster.api.list("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    return [
        item
        for item in found
        if any(c["type"] == "Established" and c["status"] == "True" for c in item["status"].get("conditions") or [])
    ]


def definition(api_version: str, kind: str, schema: Object) -> Object:
    """Return a CustomResourceDefinition of an extract."""
    group, _, version = api_version.partition("/")
    plural = f"{kind.lower()}s"
    # What every object has is the API server's own.
    rest = {name: part for name, part in schema["properties"].items() if name not in ("apiVersion", "kind", "metadata")}
    schema = schema | {"properties": rest}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, an extract for a test"},
        },
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "scope": "Namespaced",
            "versions": [
                {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": structural(schema)}}
            ],
        },
    }


def structural(schema: Object) -> Object:
    """Return the schema in the dialect of definitions."""
    if isinstance(schema.get("type"), list):
        return {"x-kubernetes-int-or-string": True}
    changed: Object = {name: value for name, value in schema.items() if name != "additionalProperties"}
    if "properties" in schema:
        inner = {name: structural(part) for name, part in schema["properties"].items()}
        changed["properties"] = {name: part or {"type": "string"} for name, part in inner.items()}
    elif isinstance(schema.get("additionalProperties"), dict):
        changed["additionalProperties"] = structural(schema["additionalProperties"])
    elif schema.get("type") == "object":
        changed["x-kubernetes-preserve-unknown-fields"] = True
    if "items" in schema:
        changed["items"] = structural(schema["items"])
    return changed


KINDS = (
    "/api/v1/%s/pods", "/api/v1/%s/services", "/api/v1/%s/configmaps", "/api/v1/%s/serviceaccounts",
    "/api/v1/%s/secrets", "/apis/apps/v1/%s/deployments", "/apis/apps/v1/%s/replicasets", "/apis/batch/v1/%s/jobs",
    "/apis/policy/v1/%s/poddisruptionbudgets", "/apis/networking.k8s.io/v1/%s/networkpolicies",
)  # fmt: skip


def test_uninstall_leaves_no_orphan(cluster: Cluster) -> None:
    query = f"labelSelector=app.kubernetes.io/instance={RELEASE}"

    def left() -> list[str]:
        paths = [kind % f"namespaces/{NAMESPACE}" for kind in KINDS]
        return [item["metadata"]["name"] for path in paths for item in cluster.api.list(f"{path}?{query}")]

    assert len(left()) > len(KINDS), "this sees what an installation has"
    cluster.helm.uninstall(RELEASE, wait="watcher", timeout=180)
    cluster.until("nothing left", lambda: not left())
