"""What is frozen by SIGSTOP, so that it can be woken whatever became of its parent meanwhile."""

import signal
import subprocess

from sorami.local import children


class Frost:
    """Remembers every process it froze; one that is stopped would outlive a killed parent for ever."""

    def __init__(self) -> None:
        self._frozen: dict[int, str | None] = {}

    def freeze(self, pid: int) -> None:
        """SIGSTOP a process and whatever it started."""
        for one in _family(pid):
            self._frozen[one] = children.born(one)
            children.send(one, signal.SIGSTOP)

    def thaw(self, pid: int) -> None:
        """SIGCONT a process and whatever it started, whoever froze it."""
        for one in _family(pid):
            self._frozen.pop(one, None)
            children.send(one, signal.SIGCONT)

    def wake(self) -> None:
        """SIGCONT what is still frozen; a number that another process has by now is left alone."""
        for pid, birth in self._frozen.items():
            if birth is not None and children.born(pid) == birth:
                children.send(pid, signal.SIGCONT)
        self._frozen.clear()


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    answer = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = {int(child): int(parent) for child, parent in (line.split() for line in answer.stdout.splitlines())}
    family = [pid]
    for one in family:
        family += [child for child, parent in parents.items() if parent == one]
    return family
