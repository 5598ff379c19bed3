"""The command line says in one line what was wrong with how it was used."""

import sys

import pytest

from sorami.cli import main


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["status", "--nope"], "--nope"),
        (["nope"], "nope"),
        (["generate", "painting", "a cat"], "image or video"),
        (["admin", "dead-letters", "list", "--limit", "0"], "--limit"),
    ],
)
def test_a_wrong_use_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["sorami", *arguments])
    assert main() == 2
    said = capsys.readouterr().err
    assert said.startswith("sorami: ")
    assert said.count("\n") == 1
    assert words in said
