"""A node of a Kubernetes cluster on this machine: each pod's command is a local process.

It gives a pod what a kubelet gives it: resolved environment, mounted files, user, no rights, a read-only root, probes,
a moment before the stop, restarts. Pods get loopback addresses of their own, services a proxy and a name in
/etc/hosts. What it does not give: images, cgroups, network namespaces, so that policies of the network bind nobody.
"""

import base64
import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

Object = dict[str, Any]
NODE = "here"
LOOK_EVERY = 0.2


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Api:
    """The API server, spoken to as its administrator."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, verify=False, timeout=20, trust_env=False
        )

    def get(self, path: str) -> Object | None:
        answer = self._http.get(path)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        found: Object = answer.json()
        return found

    def list(self, path: str) -> list[Object]:
        found = self.get(path)
        return list(found["items"]) if found else []

    def post(self, path: str, body: Object) -> httpx.Response:
        return self._http.post(path, json=body)

    def patch(self, path: str, body: Object) -> None:
        headers = {"Content-Type": "application/merge-patch+json"}
        answer = self._http.patch(path, content=json.dumps(body), headers=headers)
        if answer.status_code not in (404, 409):
            answer.raise_for_status()

    def delete(self, path: str) -> None:
        self._http.request("DELETE", path, json={"gracePeriodSeconds": 0})

    def close(self) -> None:
        self._http.close()


class Missing(Exception):
    """A secret, a ConfigMap or a key of one that a pod names is not there."""


class RunningPod(threading.Thread):
    """One pod from its binding to its end."""

    def __init__(self, node: "Node", pod: Object, address: str) -> None:
        super().__init__(name=pod["metadata"]["name"], daemon=True)
        self._node, self._pod, self.address = node, pod, address
        self._path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        self._container = pod["spec"]["containers"][0]
        self._folder = node.folder / pod["metadata"]["uid"]
        self._log = node.logs / f"{pod['metadata']['name']}.log"
        self._stop = threading.Event()
        self._restarts = 0
        self._started = now()
        self._said: Object = {}
        self.ready = False
        self.seconds_to_live = 30

    def ask_to_stop(self, grace: int) -> None:
        if not self._stop.is_set():
            self.seconds_to_live = grace
            self._stop.set()

    def run(self) -> None:
        try:
            while not self._stop.is_set():
                code = self._once()
                if code is None or self._pod["spec"]["restartPolicy"] == "Never":
                    break
                self._restarts += 1
                self._tell("Running", {"waiting": {"reason": "CrashLoopBackOff", "message": f"exit code {code}"}})
                self._stop.wait(min(2**self._restarts, 10))
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
            if self._stop.is_set():
                self._node.api.delete(self._path)

    def _once(self) -> int | None:
        """Run the container to its end and return its exit code; None when it was told to stop."""
        while True:
            try:
                environment, mounts = self._environment(), self._mounts()
                break
            except Missing as missing:
                self._tell("Pending", {"waiting": {"reason": "CreateContainerConfigError", "message": str(missing)}})
            if self._stop.wait(0.5):
                return None
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                self._command(mounts), env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/"
            )
        try:
            return self._watch(process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()

    def _watch(self, process: "subprocess.Popen[bytes]") -> int | None:
        self._tell("Running", {"running": {"startedAt": now()}})
        started, failures, next_look = "startupProbe" not in self._container, 0, 0.0
        while process.poll() is None:
            if self._stop.wait(LOOK_EVERY):
                self.ready = False
                return self._end(process)
            if time.monotonic() < next_look:
                continue
            probe = "readinessProbe" if started else "startupProbe"
            passed = self._probe(probe)
            if not started:
                failures = 0 if passed else failures + 1
                started = passed
                if failures > self._container[probe]["failureThreshold"]:
                    return 137
                continue
            next_look = time.monotonic() + 1
            if passed != self.ready:
                self.ready = passed
                self._tell("Running", {"running": {"startedAt": now()}})
            if not self._probe("livenessProbe"):
                failures += 1
                if failures >= self._container["livenessProbe"]["failureThreshold"]:
                    return 137
        self.ready = False
        code = int(process.returncode)
        if self._pod["spec"]["restartPolicy"] == "Never":
            phase, reason = ("Succeeded", "Completed") if code == 0 else ("Failed", "Error")
            self._tell(phase, {"terminated": {"exitCode": code, "reason": reason, "finishedAt": now()}})
        return code

    def _end(self, process: "subprocess.Popen[bytes]") -> int | None:
        began = time.monotonic()
        pause = self._container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        self._tell("Running", {"running": {"startedAt": self._started}})
        time.sleep(pause)
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(max(1.0, self.seconds_to_live - (time.monotonic() - began)))
        except subprocess.TimeoutExpired:
            self._node.killed.append(self.name)
            return None
        if code != 0 and self._pod["spec"]["restartPolicy"] == "Always":
            self._node.failed_stops.append((self.name, code))
        return None

    def _probe(self, name: str) -> bool:
        probe = self._container.get(name)
        if probe is None:
            return True
        port = next(port["containerPort"] for port in self._container["ports"])
        try:
            url = f"http://{self.address}:{port}{probe['httpGet']['path']}"
            with urllib.request.urlopen(url, timeout=probe["timeoutSeconds"]) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _tell(self, phase: str, state: Object) -> None:
        running = "running" in state
        condition = "True" if running and self.ready and not self._stop.is_set() else "False"
        ended = phase in ("Succeeded", "Failed")
        kinds = {"PodScheduled": "True", "Initialized": "True", "ContainersReady": condition, "Ready": condition}
        status = {
            "phase": phase,
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "startTime": self._started,
            "conditions": [
                {"type": kind, "status": value, "lastTransitionTime": now()} for kind, value in kinds.items()
            ],
            "containerStatuses": [
                {
                    "name": self._container["name"],
                    "image": self._container["image"],
                    "imageID": "",
                    "ready": condition == "True",
                    "started": running,
                    "restartCount": self._restarts,
                    "state": state,
                }
            ],
        }
        if ended or status != self._said:
            self._said = status
            self._node.api.patch(f"{self._path}/status", {"status": status})

    def _environment(self) -> dict[str, str]:
        found = {"PATH": f"{self._node.programs}:/usr/bin:/bin", "HOME": "/tmp", "HOSTNAME": self.name}
        found |= self._node.extra
        for source in self._container.get("envFrom", []):
            found |= self._object("configmaps", source["configMapRef"]["name"])
        for variable in self._container.get("env", []):
            if "value" in variable:
                found[variable["name"]] = variable["value"]
            elif "valueFrom" in variable:
                reference = variable["valueFrom"]["secretKeyRef"]
                values = self._object("secrets", reference["name"])
                if reference["key"] not in values:
                    raise Missing(f"couldn't find key {reference['key']} in Secret {reference['name']}")
                found[variable["name"]] = values[reference["key"]]
            else:
                found[variable["name"]] = ""
        # All addresses of a pod are the one that it has here.
        return {name: self.address if value == "0.0.0.0" else value for name, value in found.items()}

    def _object(self, kind: str, name: str) -> dict[str, str]:
        namespace = self._pod["metadata"]["namespace"]
        found = self._node.api.get(f"/api/v1/namespaces/{namespace}/{kind}/{name}")
        if found is None:
            raise Missing(f"{kind.removesuffix('s')} {name!r} not found")
        data: dict[str, str] = found.get("data") or {}
        if kind == "secrets":
            return {key: base64.b64decode(value).decode() for key, value in data.items()}
        return data

    def _mounts(self) -> list[tuple[Path, str, bool]]:
        """Make the files of every volume and return what is mounted where, and whether it may be written."""
        mounts: list[tuple[Path, str, bool]] = []
        volumes = {volume["name"]: volume for volume in self._pod["spec"].get("volumes", [])}
        for mount in self._container.get("volumeMounts", []):
            volume, folder = volumes[mount["name"]], self._folder / mount["name"]
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o1777 if "emptyDir" in volume else 0o755)
            if "secret" in volume or "configMap" in volume:
                kind, name = (
                    ("secrets", volume["secret"]["secretName"])
                    if "secret" in volume
                    else ("configmaps", volume["configMap"]["name"])
                )
                values = self._object(kind, name)
                items = volume.get("secret", {}).get("items") or [{"key": key, "path": key} for key in values]
                for item in items:
                    if item["key"] not in values:
                        raise Missing(f"references non-existent secret key: {item['key']}")
                    (folder / item["path"]).write_text(values[item["key"]])
            mounts.append((folder, mount["mountPath"], "emptyDir" in volume))
        return mounts

    def _command(self, mounts: list[tuple[Path, str, bool]]) -> list[str]:
        """Return the command in a mount namespace of its own, as its user, without any right."""
        security = self._pod["spec"]["securityContext"]
        lines = [f"mount --bind {self._node.hosts} /etc/hosts"]
        # The folder of an agent lies below /tmp as well: it is mounted aside before /tmp is covered.
        for source, target, _ in sorted(mounts, key=lambda mount: mount[1] == "/tmp"):
            if target != "/tmp":
                lines.append(f"mkdir -p {target}")
            lines.append(f"mount --bind {source} {target}")
        if self._container["securityContext"]["readOnlyRootFilesystem"]:
            lines.append("mount -o remount,bind,ro /")
        lines.append(
            f"exec setpriv --reuid={security['runAsUser']} --regid={security['runAsGroup']} --clear-groups"
            ' --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"'
        )
        script = "set -e\n" + "\n".join(lines)
        command = [*self._container["command"], *self._container.get("args", [])]
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *command]


class Node:
    """Binds every pod to itself and runs it; proxies every service to its ready pods."""

    def __init__(self, api: Api, folder: Path, programs: Path, extra: dict[str, str]) -> None:
        self.api, self.folder, self.programs, self.extra = api, folder, programs, extra
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True)
        self.hosts = folder / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n")
        self.hosts.chmod(0o644)
        self.killed: list[str] = []
        self.failed_stops: list[tuple[str, int]] = []
        self._pods: dict[str, tuple[Object, RunningPod]] = {}
        self._addresses = (f"127.{os.getpid() % 200 + 20}.{high}.{low}" for high, low in _pairs())
        self._services: dict[str, str] = {}
        self._done = threading.Event()
        self._loop = threading.Thread(target=self._run, name="node", daemon=True)

    def __enter__(self) -> "Node":
        ready = [{"type": "Ready", "status": "True", "reason": "Here", "lastHeartbeatTime": now()}]
        self.api.post("/api/v1/nodes", {"metadata": {"name": NODE}, "status": {"conditions": ready}})
        self._loop.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._done.set()
        self._loop.join()
        for _, running in self._pods.values():
            running.ask_to_stop(1)
        for _, running in self._pods.values():
            running.join(10)

    def address_of(self, service: str) -> str:
        """Return the address of a service's proxy."""
        return self._services[service]

    def log_of(self, pod: str) -> str:
        """Return what the pods whose name begins so have said."""
        return "".join(path.read_text() for path in sorted(self.logs.glob(f"{pod}*.log")))

    def _run(self) -> None:
        while not self._done.wait(LOOK_EVERY):
            try:
                self._look()
            except httpx.HTTPError as error:
                print("the node could not look:", error)

    def _look(self) -> None:
        for service in self.api.list("/api/v1/services"):
            if service["metadata"]["name"] not in self._services and service["spec"].get("selector"):
                self._serve(service)
        seen = set()
        for pod in self.api.list("/api/v1/pods"):
            uid = pod["metadata"]["uid"]
            seen.add(uid)
            if not pod["spec"].get("nodeName"):
                path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}/binding"
                body = {"metadata": {"name": pod["metadata"]["name"]}, "target": {"kind": "Node", "name": NODE}}
                self.api.post(path, {"apiVersion": "v1", "kind": "Binding", **body})
            elif uid not in self._pods:
                running = RunningPod(self, pod, next(self._addresses))
                self._pods[uid] = (pod, running)
                running.start()
            elif "deletionTimestamp" in pod["metadata"]:
                running = self._pods[uid][1]
                running.ask_to_stop(pod["metadata"].get("deletionGracePeriodSeconds", 30))
                if not running.is_alive():
                    self.api.delete(f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}")
        for uid in set(self._pods) - seen:
            pod_thread = self._pods[uid][1]
            pod_thread.ask_to_stop(1)
            if not pod_thread.is_alive():
                del self._pods[uid]

    def _serve(self, service: Object) -> None:
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        address, port = next(self._addresses), service["spec"]["ports"][0]["port"]
        listening = socket.create_server((address, port), backlog=512)
        self._services[name] = address
        names = f"{name} {name}.{namespace} {name}.{namespace}.svc"
        # Mounted into pods as a file: it must stay the same one.
        with self.hosts.open("a") as hosts:
            hosts.write(f"{address} {names}\n")
        selector = service["spec"]["selector"]
        threading.Thread(target=self._accept, args=(listening, selector, port), daemon=True).start()

    def _accept(self, listening: socket.socket, selector: dict[str, str], port: int) -> None:
        while True:
            incoming, _ = listening.accept()
            threading.Thread(target=self._forward, args=(incoming, selector, port), daemon=True).start()

    def _forward(self, incoming: socket.socket, selector: dict[str, str], port: int) -> None:
        ready = [
            running.address
            for pod, running in list(self._pods.values())
            if running.ready and selector.items() <= pod["metadata"]["labels"].items()
        ]
        with incoming:
            if not ready:
                return
            with socket.create_connection((random.choice(ready), port), timeout=5) as outgoing:
                outgoing.settimeout(None)
                back = threading.Thread(target=_copy, args=(outgoing, incoming), daemon=True)
                back.start()
                _copy(incoming, outgoing)
                back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65_536):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _pairs() -> Iterator[tuple[int, int]]:
    return ((high, low) for high, low in itertools.product(range(250), range(1, 250)))
