"""Sealed secrets open with their key, in their place, and nowhere else."""

import base64

import pytest

from services.runtime.sealing import SealBroken, Sealer, parse_keys

OLD, NEW = ("old", bytes(32)), ("new", bytes(range(32)))


def test_the_first_key_seals_and_all_of_them_open() -> None:
    before = Sealer([OLD]).seal(b"a secret", "row/1")
    sealer = Sealer([NEW, OLD])
    assert sealer.open(before, "row/1") == b"a secret"
    assert sealer.seal(b"a secret", "row/1").startswith("new:")
    assert b"a secret" not in base64.b64decode(before.partition(":")[2])


@pytest.mark.parametrize(
    "sealed", ["gone:AAAA", "new:AAAA", "new:%%%", "", "new:" + base64.b64encode(bytes(40)).decode()]
)
def test_what_no_key_opens_is_refused(sealed: str) -> None:
    with pytest.raises(SealBroken):
        Sealer([NEW]).open(sealed, "row/1")


def test_a_secret_that_was_moved_to_another_row_does_not_open() -> None:
    sealer = Sealer([NEW])
    with pytest.raises(SealBroken):
        sealer.open(sealer.seal(b"a secret", "row/1"), "row/2")


@pytest.mark.parametrize("text", ["", "k", "k:short", "k:" + "A" * 43, f"a b:{base64.b64encode(bytes(32)).decode()}"])
def test_wrong_keys_are_named_without_their_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"32 bytes|no key") as error:
        parse_keys(text)
    assert "AAAA" not in str(error.value)


def test_keys_are_read_in_order() -> None:
    text = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in (NEW, OLD))
    assert parse_keys(text) == [NEW, OLD]
