"""The command as a person uses it: up, status, env, generate, a killed supervisor, down."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sorami.local import children, unprivileged
from sorami.local.home import Home, holder
from tests.support.ports import free_port

SORAMI = [sys.executable, "-m", "sorami.cli"]
WITHIN = 90


class Shell:
    """A shell in a project folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / ".sorami")
        kept = ("PATH", "HOME", "XDG_CACHE_HOME", "LANG", "PYTHONPATH")
        self.env = {name: value for name, value in os.environ.items() if name in kept or name.startswith("SSL_")}
        self.env |= {"SORAMI_PORT": str(free_port()), "PYTHONPATH": str(Path(__file__).parents[2])}

    def sorami(self, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*SORAMI, *words],
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
        )

    def ok(self, *words: str) -> str:
        done = self.sorami(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.sorami("status", "--json").stdout)
        return answer

    def pids(self) -> list[int]:
        return [int(process["pid"]) for process in self.status()["processes"]]


def gone(pids: list[int], within: float = 15.0) -> bool:
    deadline = time.monotonic() + within
    while any(children.born(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    folder = Path(tempfile.mkdtemp(prefix="sorami-shell-"))
    folder.chmod(0o711)
    shell = Shell(folder)
    shell.ok("up", "--no-demo")
    yield shell
    shell.ok("down")
    unprivileged.discard(shell.home)
    folder.rmdir()


def test_status_names_each_process(shell: Shell) -> None:
    status = shell.status()
    rows = {row["name"]: row for row in status["processes"]}
    assert status["running"] is True
    assert set(rows) == {"kafka", "postgres", "s3", "forkserver", "gateway", "persistence", "generator", "notifier"}
    assert all(row["pid"] and row["state"] == "ready" for row in rows.values())
    assert rows["gateway"]["port"] == int(shell.env["SORAMI_PORT"])
    assert rows["gateway"]["address"] == f"http://127.0.0.1:{shell.env['SORAMI_PORT']}"
    assert "\x1b" not in shell.ok("status")


def test_no_secret_is_in_the_state(shell: Shell) -> None:
    secrets = json.loads(shell.home.secrets.read_text())
    shown = shell.home.state.read_text() + shell.ok("status", "--json")
    assert not [name for name, secret in secrets.items() if secret in shown]


def test_the_environment_just_works_in_a_shell(shell: Shell) -> None:
    script = f"""
        eval "$({sys.executable} -m sorami.cli env)"
        psql -Atd sorami -c 'select 40 + 2'
        printf '%s\\n' "$SORAMI_URL" "$SORAMI_TOKEN"
        command -v kafka-topics.sh
    """
    answer = subprocess.run(
        ["sh", "-ec", script], cwd=shell.folder, env=shell.env, capture_output=True, text=True, check=True
    )
    number, url, token, tool = answer.stdout.split()
    assert number == "42"
    assert tool == str(shell.home.bin / "kafka-topics.sh")
    me = httpx.get(f"{url}/api/me", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    assert me.status_code == 200


def test_generate_watches_to_the_file(shell: Shell) -> None:
    done = shell.sorami("generate", "image", "Un phare au crépuscule", "--size", "256x256", "--watch")
    assert done.returncode == 0, done.stderr
    shown = re.findall(r"image: \d+% (\w+)", done.stderr)
    assert shown[-1] == "completed"
    picture = httpx.get(done.stdout.strip(), follow_redirects=True, trust_env=False)
    assert picture.content.startswith(b"\x89PNG")


def test_generate_without_watching_prints_the_id(shell: Shell) -> None:
    created = json.loads(shell.ok("generate", "image", "Un chat", "--model", "instant", "--json"))
    assert created["status"] == "PENDING"
    assert re.fullmatch(r"c[0-9a-z]{24}", created["job_id"])


def test_a_refused_request_is_told_in_one_line(shell: Shell) -> None:
    done = shell.sorami("generate", "image", "Un chat", "--size", "5x5")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "size_unsupported" in done.stderr


def test_the_sign_in_link_works_once(shell: Shell) -> None:
    link = shell.ok("link").strip()
    with httpx.Client(trust_env=False) as browser:
        assert browser.get(link).status_code == 303
        assert browser.get(f"{link.split('/signin')[0]}/api/me").status_code == 200
    assert httpx.get(link, trust_env=False).status_code == 401


def test_commands_run_on_the_running_stack(shell: Shell) -> None:
    assert "all there" in shell.ok("topics", "create")
    shell.ok("migrate", "--dry-run")


def test_a_second_stack_on_the_same_folder_is_refused(shell: Shell) -> None:
    done = shell.sorami("run", SORAMI_PORT=str(free_port()))
    assert done.returncode != 0
    assert "already runs" in done.stderr
    assert shell.status()["state"] == "ready"


def test_a_taken_gateway_port_names_its_setting(shell: Shell, tmp_path: Path) -> None:
    done = shell.sorami("run", SORAMI_HOME=str(tmp_path / "other"))
    assert done.returncode == 78
    assert done.stderr.splitlines()[-1].startswith(f"sorami: port {shell.env['SORAMI_PORT']} (gateway) is taken")
    assert "SORAMI_PORT=" in done.stderr


def test_everything_dies_with_a_killed_supervisor_and_comes_back(shell: Shell) -> None:
    before = shell.pids()
    supervisor = holder(shell.home.lock)
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    assert gone(before)
    assert shell.sorami("status").returncode == 3
    assert shell.sorami("env").returncode == 69
    shell.ok("up", "--no-demo")
    assert shell.status()["state"] == "ready"


def test_env_then_down_then_up_in_one_shell(shell: Shell) -> None:
    words = f"{sys.executable} -m sorami.cli"
    script = f'eval "$({words} env)"; {words} down; {words} up --no-demo; psql -Atd sorami -c "select 1"'
    done = subprocess.run(
        ["sh", "-ec", script], cwd=shell.folder, env=shell.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    embedded = {process["name"] for process in shell.status()["processes"]}
    assert {"postgres", "kafka", "s3"} <= embedded


def test_down_leaves_nothing_behind(shell: Shell) -> None:
    before = shell.pids()
    shell.ok("down")
    assert gone(before, within=0.1)
    assert "not running" in shell.ok("down")


def test_run_makes_first_media_and_stops_on_ctrl_c(shell: Shell) -> None:
    with subprocess.Popen(
        [*SORAMI, "run"], cwd=shell.folder, env=shell.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        shown: list[str] = []
        for line in running.stdout:
            shown.append(line)
            if line.startswith("Ctrl-C"):
                break
        pids = shell.pids()
        found = dict(re.findall(r"^  (Page|Image|Video) +(\S+)", "".join(shown), re.MULTILINE))
        files = {
            kind: httpx.get(found[kind], follow_redirects=True, trust_env=False).content for kind in ("Image", "Video")
        }
        running.send_signal(signal.SIGINT)
        running.wait(WITHIN)
    assert "/signin?ticket=" in found["Page"]
    assert files["Image"].startswith(b"\x89PNG")
    assert files["Video"][4:8] == b"ftyp"
    assert running.returncode == 0
    assert gone(pids, within=0.1)
