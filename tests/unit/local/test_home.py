"""The data folder: found, closed to others, locked by one."""

import os
import stat
from pathlib import Path

import pytest

from sorami.local import secrets
from sorami.local.errors import StackError
from sorami.local.home import Home, Lock, holder, read_json, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_sorami_home_names_the_folder(tmp_path: Path) -> None:
    assert Home.find({"SORAMI_HOME": str(tmp_path / "there")}, tmp_path).root == tmp_path / "there"


def test_without_it_the_nearest_folder_above_is_taken(tmp_path: Path) -> None:
    made = Home(tmp_path / ".sorami")
    made.make()
    secrets.load_or_make(made)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert Home.find({}, deep).root == tmp_path / ".sorami"


def test_without_any_it_is_made_in_the_project_folder(tmp_path: Path) -> None:
    assert Home.find({}, tmp_path).root == tmp_path / ".sorami"


def test_secrets_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    first = secrets.load_or_make(home)
    assert secrets.load_or_make(home) == first
    assert mode(home.secrets) == 0o600
    assert mode(home.issuer) == 0o700
    assert first.webhook_secret not in repr(first)


def test_secrets_that_an_older_version_lacked_are_added(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    home.secrets.write_text('{"postgres_password": "kept"}')
    assert secrets.load_or_make(home).postgres_password == "kept"
    assert len(secrets.load_or_make(home).kafka_cluster_id) == 22


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    own.chmod(0o755)
    Home(own).make()
    assert mode(own) == 0o755


def test_the_lock_has_one_holder_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert holder(path) is None
    first, second = Lock(path), Lock(path)
    assert first.take()
    assert not second.take()
    assert holder(path) == os.getpid()
    first.release()
    assert holder(path) is None
    assert second.take()
    second.release()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(StackError, match=r"x\.json is damaged"):
        read_json(tmp_path / "x.json")


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_private(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_private(path, "\ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
