"""Failpoints do nothing unless asked, and what is armed happens once."""

import subprocess
import sys
from pathlib import Path

from services.runtime.failpoints import arm, reach

PASS = "from services.runtime.failpoints import reach; reach('here'); reach('here'); print('passed')"


def passing(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Pass the point twice in a process of its own."""
    environ = {"SORAMI_FAILPOINTS": str(folder)}
    return subprocess.run([sys.executable, "-c", PASS], env=environ, capture_output=True, text=True, check=False)


def test_without_a_folder_a_point_is_passed() -> None:
    reach("anywhere")


def test_what_is_armed_happens_once(tmp_path: Path) -> None:
    arm(tmp_path, "here", "kill")
    assert passing(tmp_path).returncode == -9
    assert list(tmp_path.iterdir()) == []
    assert passing(tmp_path).stdout == "passed\n"


def test_it_happens_as_often_as_was_asked(tmp_path: Path) -> None:
    arm(tmp_path, "here", "fail", times=2)
    for _ in range(2):
        assert "Injected: here" in passing(tmp_path).stderr
    assert passing(tmp_path).returncode == 0
