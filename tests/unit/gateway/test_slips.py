"""How many slips of the finger lie between two words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.usecases.search_prompts import NothingToSearch, slips, words_of

WORDS = st.text("abcé", max_size=8)


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [("chat", "chta", 1), ("chat", "chats", 1), ("chat", "hat", 1), ("chat", "chot", 1), ("astronote", "astronaute", 2),
     ("chat", "chat", 0), ("chat", "dragon", 3)],
)  # fmt: skip
def test_added_missing_changed_and_swapped_letters_count_one(one: str, other: str, count: int) -> None:
    assert slips(one, other, 2) == count


@given(WORDS, WORDS)
def test_it_is_the_same_both_ways_and_nothing_only_for_the_same_word(one: str, other: str) -> None:
    assert slips(one, other, 9) == slips(other, one, 9)
    assert (slips(one, other, 9) == 0) == (one == other)


def test_a_text_falls_into_its_different_words() -> None:
    assert words_of("L'été, l’ÉTÉ 16:9 a_b") == ["l", "été", "16", "9", "a", "b"]


@pytest.mark.parametrize("text", ["", " -- ", "___", "'|&!"])
def test_a_text_without_words_is_nothing_to_search(text: str) -> None:
    with pytest.raises(NothingToSearch):
        words_of(text)
