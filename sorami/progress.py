"""Jobs and steps shown while they go on: bars on a terminal, plain lines where output is piped."""

import sys
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from sorami.api import Update

if TYPE_CHECKING:
    from rich.progress import TaskID


class Board(Protocol):
    """Shows named things that go from 0 to 100."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, name: str, percent: float, words: str) -> None: ...


@dataclass
class Lines:
    """One line a change, without colour."""

    to: TextIO
    _shown: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def show(self, name: str, percent: float, words: str) -> None:
        # Bytes and seconds go by too quickly for lines: a change of a quarter, or of the first word, is told.
        mark = f"{percent // 25} {words.partition(' ')[0]}"
        if self._shown.get(name) != mark:
            self._shown[name] = mark
            print(f"{name}: {percent:.0f}% {words}", file=self.to, flush=True)


class Bars:
    """Live bars on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

        self._progress: Progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            TaskProgressColumn(),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, name: str, percent: float, words: str) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=100.0, words="")
        self._progress.update(self._tasks[name], completed=percent, words=words)


def board() -> Board:
    """Bars where a person looks on, lines elsewhere; never on standard output, which carries the answer."""
    return Bars() if sys.stderr.isatty() else Lines(sys.stderr)


def words_of(update: Update) -> str:
    if update.error:
        return f"{update.status} {update.error}"
    return f"{update.stage or update.status.lower()} {update.message}".strip()
