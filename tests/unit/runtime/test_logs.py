"""What libraries say again and again is written once in a while."""

import logging

from services.runtime.logs import QUIET_SECONDS, Repeats


def said(text: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord("aiokafka", logging.ERROR, "", 0, text, values, None)


def test_a_message_that_comes_again_and_again_is_written_once_in_a_while_with_its_count() -> None:
    now = 0.0
    repeats = Repeats(lambda: now)
    assert repeats.filter(said("no node %s", 1))
    assert not any(repeats.filter(said("no node %s", number)) for number in range(50))
    assert repeats.filter(said("something else"))
    now = QUIET_SECONDS
    last = said("no node %s", 2)
    assert repeats.filter(last)
    assert last.getMessage() == "no node 2 (50 more like this)"
