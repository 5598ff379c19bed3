"""A renderer for tests of the pool: does what the order says, well or badly."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from services.generator.render_protocol import Refused

Report = Callable[[float], None]


def render(work: dict[str, Any], report: Report) -> dict[str, Any]:
    """Report that it has begun, do what `do` says, answer with this process's id."""
    report(0.25)
    DEEDS[work.get("do", "nothing")](work)
    time.sleep(0.12)
    report(0.75)
    return {"pid": os.getpid(), "environment": sorted(os.environ)}


def _wait(work: dict[str, Any]) -> None:
    time.sleep(work.get("seconds", 60))


def _die(work: dict[str, Any]) -> None:
    os.kill(os.getpid(), work.get("signal", signal.SIGKILL))
    time.sleep(60)


def _spin(work: dict[str, Any]) -> None:
    while True:
        sum(range(10_000))


def _eat(work: dict[str, Any]) -> None:
    bytearray(work["bytes"])


def _refuse(work: dict[str, Any]) -> None:
    raise Refused("invalid_input", "not this one")


def _break(work: dict[str, Any]) -> None:
    raise KeyError("something nobody thought of")


def _chatter(work: dict[str, Any]) -> None:
    print("a library that prints")


DEEDS: dict[str, Callable[[dict[str, Any]], None]] = {
    "nothing": lambda work: None,
    "wait": _wait,
    "die": _die,
    "spin": _spin,
    "eat": _eat,
    "refuse": _refuse,
    "break": _break,
    "chatter": _chatter,
}
