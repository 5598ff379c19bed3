"""What goes wrong: a module a part, a small function a fault, each standing for a row of the fault matrix."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.chaos.load import Load
from tests.chaos.rig import Rig

Play = Callable[[Rig, Load], Awaitable[None]]


class NotHere(Exception):
    """This machine lacks what the scenario needs; the words say what."""


@dataclass(frozen=True)
class Scenario:
    """A fault with its name and its row."""

    name: str
    row: str
    play: Play
    is_short: bool
    is_usual: bool
    nodes: int
    """How many brokers it is played on."""

    @property
    def words(self) -> str:
        """What is injected."""
        return (self.play.__doc__ or self.name).strip().splitlines()[0]


SCENARIOS: dict[str, Scenario] = {}


def scenario(row: str, *, short: bool = False, usual: bool = False, nodes: int = 1) -> Callable[[Play], Play]:
    """Declare a scenario; `short` is in every run, `usual` in all but the short one, the rest in a full one."""

    def declare(play: Play) -> Play:
        name = f"{play.__module__.rpartition('.')[2]}.{play.__name__}"
        SCENARIOS[name] = Scenario(name, row, play, short, usual or short, nodes)
        return play

    return declare


def chosen(*, only: str = "", full: bool = False, short: bool = False) -> list[Scenario]:
    """Return the scenarios of a run, in the order of the matrix."""
    from tests.chaos.scenarios import (  # noqa: F401 - each declares its own
        browser,
        cluster,
        gateway,
        generator,
        kafka,
        notifier,
        objects,
        persistence,
        postgres,
        provider,
        receiver,
        relay,
    )

    found = sorted(SCENARIOS.values(), key=lambda one: (one.nodes, *_place(one.row)))
    if only:
        return [one for one in found if any(one.name.startswith(name) for name in only.split(","))]
    return [one for one in found if full or (one.is_short if short else one.is_usual)]


def _place(row: str) -> tuple[int, str]:
    section = row.split(" ", maxsplit=1)[0].removeprefix("b.")
    return int(section.rstrip(",")), row
