"""The supervisor keeps, restarts and ends processes; with stand-ins, so that each test takes moments."""

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path

import pytest

from sorami.local import children
from sorami.local.errors import StackError
from sorami.local.services import Commands, Service
from sorami.local.stack import Stack
from sorami.local.state import read
from tests.support.standins import COMMANDS, ECHO

ROOT = Path(__file__).parents[2]


def echo_stack(home: Path, **settings: str) -> Stack:
    return Stack(home, servers=(), services=(ECHO,), commands=COMMANDS, settings=settings)


def ask(stack: Stack) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.env['ECHO_PORT']}/readyz", timeout=5) as answer:
        return str(answer.read().decode())


def gone(pid: int, within: float = 5.0) -> bool:
    deadline = time.monotonic() + within
    while children.born(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_service_is_forked_with_its_own_environment_group_and_name(tmp_path: Path) -> None:
    with echo_stack(tmp_path / "home", WHO="tester") as stack:
        pid = stack.pid("echo")
        assert ask(stack) == f"{pid} tester"
        assert os.getsid(pid) == pid
        if sys.platform == "linux":
            assert "-m tests.support.standins" in Path(f"/proc/{pid}/cmdline").read_text()
        assert "GET /readyz" in stack.log("echo").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_fork_server_has_one_thread_and_no_numerics(tmp_path: Path) -> None:
    late = dataclasses.replace(ECHO, stage="all")
    with Stack(tmp_path / "home", servers=(), services=(late,), commands=COMMANDS) as stack:
        process = Path(f"/proc/{stack.pid('forkserver')}")
        assert len(list((process / "task").iterdir())) == 1
        loaded = (process / "maps").read_text()
        assert "asyncpg" in loaded
        assert not [name for name in ("numpy", "PIL/", "/av/", "openblas") if name in loaded]
        assert stack.log("forkserver").read_text() == ""


def test_what_a_service_started_goes_with_it(tmp_path: Path) -> None:
    with echo_stack(tmp_path / "home", WITH_CHILD="1") as stack:
        child = int(stack.log("echo").read_text().split("child ")[1].split()[0])
        assert children.born(child) is not None
        stack.kill("echo")
        assert gone(child)


def test_a_killed_service_is_started_again(tmp_path: Path) -> None:
    with echo_stack(tmp_path / "home") as stack:
        before = stack.pid("echo")
        stack.kill("echo")
        stack.wait_ready("echo", within=10)
        assert stack.pid("echo") != before
        assert stack.restarts("echo") == 1


def test_a_killed_fork_server_comes_back_with_its_services(tmp_path: Path) -> None:
    with echo_stack(tmp_path / "home") as stack:
        before = stack.pid("echo")
        stack.kill("forkserver")
        assert gone(before)
        stack.wait_ready(within=20)
        assert stack.pid("echo") != before
        assert ask(stack).startswith(str(stack.pid("echo")))


def test_a_stopped_service_stays_stopped_until_it_is_started(tmp_path: Path) -> None:
    with echo_stack(tmp_path / "home") as stack:
        pid = stack.pid("echo")
        stack.stop("echo")
        assert gone(pid)
        assert stack.phase("echo") == "stopped"
        stack.start("echo", within=10)
        assert ask(stack).startswith(str(stack.pid("echo")))


def test_nothing_is_left_after_the_end(tmp_path: Path) -> None:
    with echo_stack(tmp_path / "home") as stack:
        pids = [stack.pid("echo"), stack.pid("forkserver")]
    assert all(gone(pid) for pid in pids)


def test_a_wrong_setting_ends_the_start_with_the_services_own_words(tmp_path: Path) -> None:
    broken = Service(
        "broken", "tests.support.standins:wrong_setting", "BROKEN_PORT", stage="database", needs_broker=False
    )
    with (
        pytest.raises(StackError, match="DATABASE_URL is not an address"),
        Stack(tmp_path / "home", servers=(), services=(broken,), commands=COMMANDS),
    ):
        pass


def test_commands_run_before_the_services(tmp_path: Path) -> None:
    commands = Commands(migrate="tests.support.standins:refuse", topics=None)
    with (
        pytest.raises(StackError, match="migrate failed with code 3: no thanks"),
        Stack(tmp_path / "home", servers=(), services=(ECHO,), commands=commands) as stack,
    ):
        pytest.fail(f"{stack.phase('echo')} although the migration failed")


def test_one_data_folder_has_one_stack(tmp_path: Path) -> None:
    with (
        echo_stack(tmp_path / "home"),
        pytest.raises(StackError, match=rf"already runs .* \(pid {os.getpid()}\)"),
        echo_stack(tmp_path / "home"),
    ):
        pass


SUPERVISOR = """
    import sys, time
    from pathlib import Path
    from tests.integration.test_stack_supervision import echo_stack
    with echo_stack(Path(sys.argv[1])) as stack:
        print(stack.pid("echo"), stack.pid("forkserver"), flush=True)
        time.sleep(60)
"""


def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SUPERVISOR), tmp_path / "home"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as supervisor:
        assert supervisor.stdout is not None
        pids = [int(word) for word in supervisor.stdout.readline().split()]
        supervisor.kill()
    assert len(pids) == 2
    assert all(gone(pid) for pid in pids)


def test_leftovers_of_an_earlier_life_are_ended_and_strangers_are_not(tmp_path: Path) -> None:
    with (
        subprocess.Popen(["sleep", "60"], start_new_session=True) as leftover,
        subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger,
    ):
        try:
            birth = children.born(leftover.pid)
            assert birth is not None
            known = [(leftover.pid, birth), (stranger.pid, "0")]
            assert children.end_leftovers(known) == [leftover.pid]
            assert leftover.wait(5) == -signal.SIGTERM
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_the_state_file_names_each_process(tmp_path: Path) -> None:
    with echo_stack(tmp_path / "home") as stack:
        seen = read(stack.home.state)
        rows = {row["name"]: row for row in seen.processes}
        assert seen.phase == "ready"
        assert rows["echo"]["pid"] == stack.pid("echo")
        assert rows["echo"]["address"] == f"http://127.0.0.1:{stack.env['ECHO_PORT']}"
        assert {row["state"] for row in rows.values()} == {"ready"}
    assert read(stack.home.state).phase == "stopped"


async def test_it_is_controlled_from_a_coroutine_too(tmp_path: Path) -> None:
    async with echo_stack(tmp_path / "home") as stack:
        before = stack.pid("echo")
        await stack.akill("echo")
        await stack.await_ready("echo", within=10)
        assert stack.pid("echo") != before
