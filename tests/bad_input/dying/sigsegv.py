"""A decoder that ends by SIGSEGV."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any


def render(work: dict[str, Any], report: Callable[[float], None]) -> dict[str, Any]:
    """End this child."""
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(60)
    return {}
