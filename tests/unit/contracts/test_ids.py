"""The one id: Prisma's cuid, growing within a process, with a time that can be read back."""

import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from contracts.ids import CuidMint, is_cuid, is_safe_id, minted_at, new_id


def test_an_id_has_the_shape_of_prismas_cuid() -> None:
    assert is_cuid(new_id())
    assert len(new_id()) == 25


def test_ids_of_one_process_only_grow() -> None:
    ids = [new_id() for _ in range(50_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_ids_grow_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    mint = CuidMint()
    before = mint.mint()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000)
    after = [mint.mint() for _ in range(100)]
    assert [before, *after] == sorted([before, *after])


def test_the_seeds_own_id_tells_when_it_was_made() -> None:
    assert minted_at("cmh3h35780001gg0lwosk26du").date().isoformat() == "2025-10-23"


def test_a_new_id_tells_that_it_was_made_now() -> None:
    assert abs(minted_at(new_id()) - datetime.now(UTC)) < timedelta(seconds=2)


def test_a_forked_process_has_another_fingerprint() -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 64).decode()
    os.close(reading)
    os.close(writing)
    assert theirs[13:17] != new_id()[13:17]


@pytest.mark.parametrize("text", ["test-job-123", "c76c36ee-838d-4ecb-94ed-37018032c9fd", "cm4abc123def456ghi789"])
def test_ids_of_the_seeds_are_safe(text: str) -> None:
    assert is_safe_id(text)


@pytest.mark.parametrize("text", ["", "../x", "a/b", "a b", "é", "-a", "a" * 65, "a\n", "a.b"])
def test_an_id_that_could_be_a_path_or_worse_is_not_safe(text: str) -> None:
    assert not is_safe_id(text)
