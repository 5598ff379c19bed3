"""Ports for what tests start: below the ephemeral range, where no outgoing connection sits on one a moment later."""

import os
from itertools import chain, cycle, islice

from sorami.local import ports

LOWEST, HIGHEST = 8_000, 10_900
"""Below those of `sorami.local`: a stack that starts meanwhile takes none of these."""

_FIRST = LOWEST + os.getpid() * 131 % (HIGHEST - LOWEST)
# Another place for each process, and none twice in a row: what a test stopped keeps its port until the round is over.
_round = cycle(chain(range(_FIRST, HIGHEST), range(LOWEST, _FIRST)))


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    return list(islice((port for port in _round if ports.is_free(port)), count))


def free_port() -> int:
    """Return one."""
    return free_ports(1)[0]
