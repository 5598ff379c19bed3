"""Every row of the user's five documents has its proof: tests/SEEDS.md names a test, or the work that still owes it."""

import re

import pytest

from tests.support.proofs import TESTS, Row, read_table

# How many rows each section of the inventory has, and those whose number is not its place.
SECTIONS = {
    "A": 15,
    "B": 12,
    "C": 11,
    "D": 5,
    "E": 10,
    "F": 4,
    "G": 7,
    "H": 6,
    "I": 10,
    "J": 6,
    "K": 8,
    "L": 6,
    "M": 3,
    "N": 10,
    "O": 5,
    "P": 12,
    "Q": 9,
    "R": 20,
}
# E1 to E4 are the payloads themselves; A5b and L1b were inserted later.
EXPECTED = {f"{section}{number}" for section, most in SECTIONS.items() for number in range(1, most + 1)} | {
    "A5b",
    "L1b",
}
TABLE = read_table(TESTS / "SEEDS.md")


def test_every_row_has_a_line_and_none_has_two() -> None:
    assert sorted(row.name for row in TABLE) == sorted(EXPECTED)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_row_is_proved_by_tests_that_exist_or_owed_by_a_later_piece_of_work(row: Row) -> None:
    assert row.proofs or row.words
    assert [words for words in row.words if not re.fullmatch(r"owed by [C-I]", words)] == []
    assert [fault for proof in row.proofs if (fault := proof.fault())] == []
