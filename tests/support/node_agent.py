"""A node of a Kubernetes cluster on this machine: each pod's command is a local process.

It gives a pod what a kubelet gives it: resolved environment, mounted files, user, no rights, a read-only root, probes,
restarts, and time to stop. Pods get loopback addresses of their own, services a proxy and a name in /etc/hosts. What it
does not give: images, cgroups, network namespaces, so that policies of the network bind nobody.
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
import sys
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
FORGET_AFTER = 1.0
"""Seconds that services go on leading connections to a pod that was told to stop, as endpoints learn late."""


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
        return [*found["items"]] if found else []

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


class Probe:
    """One probe of a container: asked every `periodSeconds`, failed after `failureThreshold` failures in a row."""

    def __init__(self, container: Object, name: str, address: str) -> None:
        self._probe: Object | None = container.get(name)
        self._failures, self._next = 0, 0.0
        if self._probe is not None:
            asked = self._probe["httpGet"]
            ports = {port["name"]: port["containerPort"] for port in container["ports"]}
            self._url = f"http://{address}:{ports.get(asked['port'], asked['port'])}{asked['path']}"

    def look(self) -> bool | None:
        """Return whether it passed; None when it is not due, or failed too seldom to say."""
        if self._probe is None:
            return True
        if time.monotonic() < self._next:
            return None
        self._next = time.monotonic() + self._probe["periodSeconds"]
        if self._asked(self._probe["timeoutSeconds"]):
            self._failures = 0
            return True
        self._failures += 1
        return False if self._failures >= self._probe["failureThreshold"] else None

    def _asked(self, timeout: float) -> bool:
        try:
            with urllib.request.urlopen(self._url, timeout=timeout) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False


class RunningPod(threading.Thread):
    """One pod from its binding to its end."""

    def __init__(self, node: "Node", pod: Object, address: str) -> None:
        super().__init__(name=pod["metadata"]["name"], daemon=True)
        self._node, self._pod, self.address = node, pod, address
        self._path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        self._container = pod["spec"]["containers"][0]
        self._folder = node.folder / pod["metadata"]["uid"]
        self._log = node.logs / f"{pod['metadata']['name']}.log"
        self._told_to_stop = threading.Event()
        self._restarts = 0
        self._since = now()
        self._said: Object = {}
        self.ready = False
        self.seconds_to_live = 30

    def ask_to_stop(self, grace: int) -> None:
        if not self._told_to_stop.is_set():
            self.seconds_to_live = grace
            self._told_to_stop.set()

    def run(self) -> None:
        try:
            while not self._told_to_stop.is_set():
                code = self._once()
                if code is None or self._pod["spec"]["restartPolicy"] == "Never":
                    break
                self._restarts += 1
                self._tell("Running", {"waiting": {"reason": "CrashLoopBackOff", "message": f"exit code {code}"}})
                self._told_to_stop.wait(min(2**self._restarts, 10))
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
            if self._told_to_stop.is_set():
                self._node.api.delete(self._path)

    def execute(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command as `kubectl exec` does: in the pod's environment, as its user."""
        whole = self._command([*command], self._mounts())
        return subprocess.run(
            whole, env=self._environment(), capture_output=True, text=True, cwd="/", timeout=60, check=False
        )

    def _once(self) -> int | None:
        """Run the container to its end and return its exit code; None when it was told to stop."""
        while True:
            try:
                environment, mounts = self._environment(), self._mounts()
                break
            except Missing as missing:
                self._tell("Pending", {"waiting": {"reason": "CreateContainerConfigError", "message": str(missing)}})
            if self._told_to_stop.wait(0.5):
                return None
        command = self._command([*self._container["command"], *self._container.get("args", [])], mounts)
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/"
            )
        try:
            return self._watch(process)
        finally:
            self.ready = False
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()

    def _watch(self, process: "subprocess.Popen[bytes]") -> int | None:
        running = {"running": {"startedAt": now()}}
        self._tell("Running", running)
        startup, readiness, liveness = (
            Probe(self._container, name, self.address) for name in ("startupProbe", "readinessProbe", "livenessProbe")
        )
        started = False
        while process.poll() is None:
            if self._told_to_stop.wait(LOOK_EVERY):
                return self._end(process)
            if not started:
                passed = startup.look()
                if passed is False:
                    return 137
                started = passed is True
                continue
            ready = readiness.look()
            if ready is not None and ready != self.ready:
                self.ready = ready
                self._tell("Running", running)
            if liveness.look() is False:
                return 137
        code = int(process.returncode)
        if self._pod["spec"]["restartPolicy"] == "Never":
            phase, reason = ("Succeeded", "Completed") if code == 0 else ("Failed", "Error")
            self._tell(phase, {"terminated": {"exitCode": code, "reason": reason, "finishedAt": now()}})
        return code

    def _end(self, process: "subprocess.Popen[bytes]") -> int | None:
        deadline = time.monotonic() + max(1.0, self.seconds_to_live)
        time.sleep(self._container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0))
        process.send_signal(signal.SIGTERM)
        if self.ready:
            time.sleep(FORGET_AFTER)
            self.ready = False
            self._tell("Running", {"running": {"startedAt": self._since}})
        try:
            code = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._node.killed.append(self.name)
            return None
        if code != 0 and self._pod["spec"]["restartPolicy"] == "Always":
            self._node.failed_stops.append((self.name, code))
        return None

    def _tell(self, phase: str, state: Object) -> None:
        running = "running" in state
        condition = "True" if running and self.ready else "False"
        kinds = {"PodScheduled": "True", "Initialized": "True", "ContainersReady": condition, "Ready": condition}
        status = {
            "phase": phase,
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "startTime": self._since,
            "conditions": [
                {"type": kind, "status": value, "lastTransitionTime": self._since} for kind, value in kinds.items()
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
        if status != self._said:
            self._said = status
            self._node.api.patch(f"{self._path}/status", {"status": status})

    def _environment(self) -> dict[str, str]:
        found = {"PATH": f"{self._node.programs}:/usr/bin:/bin", "HOME": "/tmp", "HOSTNAME": self.name}
        found |= self._node.extra
        for source in self._container.get("envFrom", []):
            found |= self._object("configmaps", source["configMapRef"]["name"])
        for variable in self._container.get("env", []):
            if "valueFrom" in variable:
                reference = variable["valueFrom"]["secretKeyRef"]
                values = self._object("secrets", reference["name"])
                if reference["key"] not in values:
                    raise Missing(f"couldn't find key {reference['key']} in Secret {reference['name']}")
                found[variable["name"]] = values[reference["key"]]
            else:
                found[variable["name"]] = variable.get("value", "")
        # All addresses of a pod are the one that it has here.
        return {name: self.address if value == "0.0.0.0" else value for name, value in found.items()}

    def _object(self, kind: str, name: str) -> dict[str, str]:
        namespace = self._pod["metadata"]["namespace"]
        found = self._node.api.get(f"/api/v1/namespaces/{namespace}/{kind}/{name}")
        if found is None:
            raise Missing(f'{kind.removesuffix("s")} "{name}" not found')
        data: dict[str, str] = found.get("data") or {}
        if kind == "secrets":
            return {key: base64.b64decode(value).decode() for key, value in data.items()}
        return data

    def _mounts(self) -> list[tuple[Path, str]]:
        """Make the files of every volume and return what is mounted where."""
        mounts: list[tuple[Path, str]] = []
        volumes = {volume["name"]: volume for volume in self._pod["spec"].get("volumes", [])}
        for mount in self._container.get("volumeMounts", []):
            volume, folder = volumes[mount["name"]], self._folder / mount["name"]
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o1777 if "emptyDir" in volume else 0o755)
            for path, text in self._files(volume).items():
                (folder / path).write_text(text)
            mounts.append((folder, mount["mountPath"]))
        return mounts

    def _files(self, volume: Object) -> dict[str, str]:
        if "emptyDir" in volume:
            return {}
        kind, source = ("secrets", volume["secret"]) if "secret" in volume else ("configmaps", volume["configMap"])
        values = self._object(kind, source.get("secretName") or source["name"])
        items = source.get("items") or [{"key": key, "path": key} for key in values]
        for item in items:
            if item["key"] not in values:
                raise Missing(f"references non-existent {kind.removesuffix('s')} key: {item['key']}")
        return {item["path"]: values[item["key"]] for item in items}

    def _command(self, command: list[str], mounts: list[tuple[Path, str]]) -> list[str]:
        """Return the command in a mount namespace of its own, as its user, without any right."""
        security = self._pod["spec"]["securityContext"]
        lines = [*self._node.opened, f"mount --bind {self._node.hosts} /etc/hosts"]
        # The agent's folder lies below /tmp as well: all of it is mounted before /tmp is covered.
        for source, target in sorted(mounts, key=lambda mount: mount[1] == "/tmp"):
            lines += [f"mkdir -p {target}", f"mount --bind {source} {target}"]
        if self._container["securityContext"]["readOnlyRootFilesystem"]:
            lines.append("mount -o remount,bind,ro /")
        lines.append(
            f"exec setpriv --reuid={security['runAsUser']} --regid={security['runAsGroup']} --clear-groups"
            ' --no-new-privs --bounding-set=-all --inh-caps=-all --pdeathsig=KILL -- "$@"'
        )
        script = "set -e\n" + "\n".join(lines)
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
        # What stands in for an image: /etc that may be added to, and an interpreter that anybody may run.
        self.opened = [
            "mount -t tmpfs -o mode=755 tmpfs /mnt",
            "cp -a /etc /mnt/etc",
            "mount --bind /mnt/etc /etc",
            *_opened({Path(sys.base_prefix), programs.parent, Path(__file__).parents[2]}),
        ]
        self.killed: list[str] = []
        self.failed_stops: list[tuple[str, int]] = []
        self._pods: dict[str, tuple[Object, RunningPod]] = {}
        self._addresses = (f"127.{os.getpid() % 200 + 20}.{high}.{low}" for high, low in _pairs())
        self._services: dict[str, str] = {}
        self._listening: list[socket.socket] = []
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
        for listening in self._listening:
            listening.close()

    def address_of(self, service: str) -> str:
        """Return the address of a service's proxy."""
        return self._services[service]

    def log_of(self, pod: str) -> str:
        """Return what the pods whose name begins so have said."""
        return "".join(path.read_text() for path in sorted(self.logs.glob(f"{pod}*.log")))

    def pods_of(self, job: str) -> list[str]:
        """Return the pods whose name begins so that ever said something."""
        return [path.stem for path in self.logs.glob(f"{job}-*.log")]

    def execute(self, pod: str, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the first ready pod whose name begins so, as `kubectl exec deploy/… --` does."""
        running = next(one for _, one in self._pods.values() if one.ready and one.name.startswith(pod))
        return running.execute(*command)

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
            path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
            if not pod["spec"].get("nodeName"):
                body = {"metadata": {"name": pod["metadata"]["name"]}, "target": {"kind": "Node", "name": NODE}}
                self.api.post(f"{path}/binding", {"apiVersion": "v1", "kind": "Binding", **body})
            elif uid not in self._pods:
                running = RunningPod(self, pod, next(self._addresses))
                self._pods[uid] = (pod, running)
                running.start()
            elif "deletionTimestamp" in pod["metadata"]:
                running = self._pods[uid][1]
                running.ask_to_stop(pod["metadata"].get("deletionGracePeriodSeconds", 30))
                if not running.is_alive():
                    self.api.delete(path)
        for uid in set(self._pods) - seen:
            pod_thread = self._pods[uid][1]
            pod_thread.ask_to_stop(1)
            if not pod_thread.is_alive():
                del self._pods[uid]

    def _serve(self, service: Object) -> None:
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        address, port = next(self._addresses), service["spec"]["ports"][0]["port"]
        listening = socket.create_server((address, port), backlog=512)
        self._listening.append(listening)
        self._services[name] = address
        names = f"{name} {name}.{namespace} {name}.{namespace}.svc"
        # Mounted into pods as a file: it must stay the same one.
        with self.hosts.open("a") as hosts:
            hosts.write(f"{address} {names}\n")
        selector = service["spec"]["selector"]
        threading.Thread(target=self._accept, args=(listening, selector, port), daemon=True).start()

    def _accept(self, listening: socket.socket, selector: dict[str, str], port: int) -> None:
        with contextlib.suppress(OSError):
            while True:
                incoming, _ = listening.accept()
                threading.Thread(target=self._forward, args=(incoming, selector, port), daemon=True).start()

    def _forward(self, incoming: socket.socket, selector: dict[str, str], port: int) -> None:
        ready = [
            running.address
            for pod, running in list(self._pods.values())
            if running.ready and selector.items() <= pod["metadata"]["labels"].items()
        ]
        with incoming, contextlib.suppress(OSError):
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


def _opened(wanted: set[Path]) -> list[str]:
    """Return what lets anybody reach these folders: a closed one above them is covered by one that shows them alone."""
    closed: dict[Path, list[Path]] = {}
    for folder in wanted:
        above = [parent for parent in reversed(folder.parents) if not parent.stat().st_mode & 0o001]
        if above:
            closed.setdefault(above[0], []).append(folder)
    lines = []
    for number, (cover, folders) in enumerate(closed.items()):
        for place, folder in enumerate(folders):
            lines += [f"mkdir -p /mnt/{number}/{place}", f"mount --bind {folder} /mnt/{number}/{place}"]
        lines.append(f"mount -t tmpfs -o mode=755 tmpfs {cover}")
        for place, folder in enumerate(folders):
            lines += [f"mkdir -p {folder}", f"mount --bind /mnt/{number}/{place} {folder}"]
    return lines
