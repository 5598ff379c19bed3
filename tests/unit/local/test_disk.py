"""A disk that is nearly full is refused before anything is started, with what to do."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from sorami.local import disk
from sorami.local.errors import StackError

GB = 1024 * disk.MB


@pytest.mark.parametrize(
    ("total", "free", "objects"),
    [(252 * GB, 4 * GB, True), (8 * GB, 1 * GB, True), (252 * GB, 1 * GB, False)],
)
def test_a_disk_with_room_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, total: int, free: int, objects: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=total, free=free))
    disk.ask_for_room(tmp_path, objects=objects)


def test_below_the_share_at_which_the_object_store_stops_writing_a_start_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=252 * GB, free=2 * GB))
    with pytest.raises(StackError, match=r"2,048 MB are free at .*, and 3,092 MB are needed .*S3_ENDPOINT_URL"):
        disk.ask_for_room(tmp_path, objects=True)


def test_without_an_embedded_store_only_the_smallest_room_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=252 * GB, free=100 * disk.MB))
    with pytest.raises(StackError, match=r"100 MB are free at [^()]*, and 400 MB are needed: .*SORAMI_HOME") as refused:
        disk.ask_for_room(tmp_path, objects=False)
    assert "S3" not in str(refused.value)
