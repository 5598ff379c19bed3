"""Every row of hostile input and of the security list has its test, or a decision that says in words why not."""

import re

import pytest

from tests.support.proofs import TESTS, Row, read_table

SECTIONS = {"H": 42, "U": 21, "W": 18, "K": 16, "E": 14, "S": 60}
EXPECTED = {f"{section}{number}" for section, most in SECTIONS.items() for number in range(1, most + 1)}
DECISION = re.compile(r"decision: .{20,}\.")
TABLE = read_table(TESTS / "SECURITY.md")
NUMBERS = re.compile(r"\((?:decision|guarantee) (\d+)\)")


def test_every_row_has_a_line_and_none_has_two() -> None:
    assert sorted(row.name for row in TABLE) == sorted(EXPECTED)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_row_is_proved_by_tests_that_exist_or_decided_in_a_sentence(row: Row) -> None:
    assert row.proofs or row.words, "neither a test nor a decision"
    assert [words for words in row.words if not DECISION.fullmatch(words)] == []
    assert [fault for proof in row.proofs if (fault := proof.fault())] == []


def test_decisions_name_numbers_that_the_architecture_has() -> None:
    architecture = (TESTS.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = {number for row in TABLE for words in row.words for number in NUMBERS.findall(words)}
    assert [number for number in sorted(named) if not re.search(rf"^{number}\. ", architecture, re.MULTILINE)] == []
